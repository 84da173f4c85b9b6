// How a template will look on a phone. `definition` is what the builder holds, half written or not.
import React from "react";
import "./templates.css";

const SIGNS = {
  IMAGE: ["M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9.5h.01", "Image"],
  VIDEO: ["M4 5h16v14H4zM10 9l5 3-5 3z", "Video"],
  DOCUMENT: ["M6 3h8l4 4v14H6zM14 3v4h4M9 13h6M9 17h6", "Document"],
  LOCATION: ["M12 21s7-6.2 7-11a7 7 0 1 0-14 0c0 4.800 7 11 7 11zM12 12.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z", "Place"],
  QUICK_REPLY: ["M10 8 5 12l5 4M5 12h9a5 5 0 0 1 5 5"],
  URL: ["M14 5h5v5M19 5l-8 8M17 14v5H5V7h5"],
  PHONE_NUMBER: ["M6 4h3l2 5-2.500 1.500a11 11 0 0 0 5 5L15 13l5 2v3a2 2 0 0 1-2 2A15 15 0 0 1 4 6a2 2 0 0 1 2-2z"],
  VOICE_CALL: ["M6 4h3l2 5-2.500 1.500a11 11 0 0 0 5 5L15 13l5 2v3a2 2 0 0 1-2 2A15 15 0 0 1 4 6a2 2 0 0 1 2-2z"],
  COPY_CODE: ["M9 9h11v11H9zM5 15H4V4h11v1"],
  OTP: ["M9 9h11v11H9zM5 15H4V4h11v1"],
  FLOW: ["M5 4h14v16H5zM9 9h6M9 13h6"],
  CATALOG: ["M5 8h14l-1 12H6zM9 8a3 3 0 0 1 6 0"],
  CLOCK: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2"],
};

export function Sign({ name, size = 16 }) {
  const [path] = SIGNS[name] || SIGNS.URL;
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;

/** Examples stand in the place of variables, and *bold*, _italic_, ~struck~ and `mono` as WhatsApp shows them. */
function Words({ text, examples = {} }) {
  const parts = String(text).split(/(\{\{\s*\w+\s*\}\}|\*[^*\n]+\*|_[^_\n]+_|~[^~\n]+~|`[^`\n]+`)/g);
  return parts.map((part, at) => {
    const variable = /^\{\{\s*(\w+)\s*\}\}$/.exec(part);
    if (variable) return <mark key={at} className="tp-variable">{examples[variable[1]] || part}</mark>;
    const inside = () => <Words text={part.slice(1, -1)} examples={examples} />;
    if (part.length > 2 && /^\*.*\*$/.test(part)) return <strong key={at}>{inside()}</strong>;
    if (part.length > 2 && /^_.*_$/.test(part) && !VARIABLE.test(part)) return <em key={at}>{inside()}</em>;
    if (part.length > 2 && /^~.*~$/.test(part)) return <s key={at}>{inside()}</s>;
    if (part.length > 2 && /^`.*`$/.test(part)) return <code key={at}>{part.slice(1, -1)}</code>;
    return <React.Fragment key={at}>{part}</React.Fragment>;
  });
}

function Head({ header }) {
  if (!header) return null;
  if (header.format === "TEXT") return header.text ? <strong className="tp-heading"><Words text={header.text} examples={header.examples} /></strong> : null;
  const source = header.media_id ? `/media/${header.media_id}` : /^https:\/\//.test(header.handle) ? header.handle : "";
  if (header.format === "IMAGE" && source) return <img className="tp-picture" src={source} alt="The sample of the header" />;
  if (header.format === "VIDEO" && source) return <video className="tp-picture" src={source} controls muted aria-label="The sample of the header" />;
  return (
    <span className={`tp-media is-${header.format.toLowerCase()}`}>
      <Sign name={header.format} size={30} />
      <span>{header.media_id && header.format === "DOCUMENT" ? "Your document" : (SIGNS[header.format] || ["", header.format])[1]}</span>
    </span>
  );
}

const wordsOf = (button) => button.text || { COPY_CODE: "Copy offer code", OTP: button.otp_type === "COPY_CODE" ? "Copy code" : button.autofill_text || "Autofill", CATALOG: "View catalogue" }[button.kind] || "…";

function Choices({ buttons }) {
  if (!buttons?.length) return null;
  const shown = buttons.length > 3 ? buttons.slice(0, 2) : buttons;
  return (
    <span className="tp-choices">
      {shown.map((button, at) => (
        <span key={at} className="tp-choice"><Sign name={button.kind} />{wordsOf(button)}</span>
      ))}
      {shown.length < buttons.length && <span className="tp-choice">See all options</span>}
    </span>
  );
}

function Offer({ offer, buttons }) {
  const code = (buttons || []).find((one) => one.kind === "COPY_CODE")?.example;
  return (
    <span className="tp-offer">
      <Sign name="CLOCK" size={20} />
      <span>
        <strong>{offer.text || "Your offer"}</strong>
        <small>{offer.has_expiration ? "Ends in 2 days" : "While it lasts"}{code ? ` · code ${code}` : ""}</small>
      </span>
    </span>
  );
}

/** What the words are: WhatsApp's own for a code, else ours. */
function Body({ definition }) {
  if (definition.category === "AUTHENTICATION")
    return <span className="tp-words"><strong>123456</strong> is your verification code.{definition.body.add_security_recommendation && " For your security, do not share this code."}</span>;
  if (!definition.body.text) return <span className="tp-words is-empty">Your text</span>;
  return <span className="tp-words"><Words text={definition.body.text} examples={definition.body.examples} /></span>;
}

function Footer({ footer, isCode }) {
  if (!footer) return null;
  const text = isCode ? footer.code_expiration_minutes && `This code expires in ${footer.code_expiration_minutes} minutes.` : footer.text;
  return text ? <small className="tp-footer">{text}</small> : null;
}

export function TemplatePreview({ definition, name }) {
  if (!definition?.body) return null;
  const isCode = definition.category === "AUTHENTICATION";
  return (
    <div className="tp-phone" role="img" aria-label="How the message will look on a phone">
      <div className="tp-bar"><span className="tp-face" aria-hidden="true">{(name || "A").slice(0, 1)}</span><strong>{name || "Your business"}</strong></div>
      <div className="tp-chat">
        <div className="tp-bubble">
          <Head header={isCode ? null : definition.header} />
          {definition.offer && !isCode && <Offer offer={definition.offer} buttons={definition.buttons} />}
          <Body definition={definition} />
          <Footer footer={definition.footer} isCode={isCode} />
          <span className="tp-time">10:24</span>
          {!definition.cards?.length && <Choices buttons={definition.buttons} />}
        </div>
        {!isCode && definition.cards?.length > 0 && (
          <div className="tp-cards">
            {definition.cards.map((card, at) => (
              <div className="tp-bubble tp-card" key={at}>
                <Head header={card.header} />
                {card.body && <span className="tp-words"><Words text={card.body.text || "The card's text"} examples={card.body.examples} /></span>}
                <Choices buttons={card.buttons} />
              </div>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}
