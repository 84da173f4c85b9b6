// One message as a bubble: every kind that a business or a person can send.
import React from "react";
import { Icon, Ticks, inOneLine, timeOf } from "./phone_parts.jsx";

const QUICK = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
const SWIPE_PIXELS = 56;

/** Links, *bold*, _italic_, ~struck~ and line breaks, as messengers show them. Never HTML. */
function Written({ text }) {
  const parts = String(text).split(/(https?:\/\/[^\s]+|\*[^*\n]+\*|_[^_\n]+_|~[^~\n]+~)/g);
  return (
    <span className="phone-written">
      {parts.map((part, at) => {
        if (/^https?:\/\//.test(part)) return <a key={at} href={part} target="_blank" rel="noreferrer noopener">{part}</a>;
        if (part.length > 2 && /^\*.*\*$/.test(part)) return <strong key={at}>{part.slice(1, -1)}</strong>;
        if (part.length > 2 && /^_.*_$/.test(part)) return <em key={at}>{part.slice(1, -1)}</em>;
        if (part.length > 2 && /^~.*~$/.test(part)) return <s key={at}>{part.slice(1, -1)}</s>;
        return part;
      })}
    </span>
  );
}

const fileUrl = (base, node) => (node.id ? `${base}/media/${encodeURIComponent(node.id)}` : node.link);

function Picture({ base, node, onShow, alt = "Photo" }) {
  const [isBroken, setBroken] = React.useState(false);
  if (isBroken) return <span className="phone-broken"><Icon name="image" /> This picture can not be shown</span>;
  const url = fileUrl(base, node);
  return (
    <button type="button" className="phone-picture" onClick={() => onShow(url)} aria-label={`Open ${alt.toLowerCase()}`}>
      <img src={url} alt={alt} onError={() => setBroken(true)} />
    </button>
  );
}

function Voice({ base, node, message, onPlayed }) {
  const sound = React.useRef(null);
  const [isPlaying, setPlaying] = React.useState(false);
  const [at, setAt] = React.useState(0);
  const [length, setLength] = React.useState(0);
  const bars = React.useMemo(() => {
    let seed = [...message.id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7);
    return Array.from({ length: 28 }, () => (seed = (seed * 171 + 11) % 9973) / 9973);
  }, [message.id]);
  const toggle = () => {
    if (isPlaying) return sound.current.pause();
    sound.current.play().catch(() => setPlaying(false));
    if (at === 0) onPlayed(message);
  };
  const seconds = isPlaying || at ? at : length;
  return (
    <span className="phone-voice">
      <audio
        ref={sound}
        src={fileUrl(base, node)}
        preload="metadata"
        onLoadedMetadata={(event) => Number.isFinite(event.target.duration) && setLength(event.target.duration)}
        onTimeUpdate={(event) => setAt(event.target.currentTime)}
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => setAt(0)}
      />
      <button type="button" className="phone-play" onClick={toggle} aria-label={isPlaying ? "Pause voice message" : "Play voice message"}>
        <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
          <path d={isPlaying ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4.5 2.5l9 5.5-9 5.5z"} fill="currentColor" />
        </svg>
      </button>
      <span className="phone-wave" aria-hidden="true">
        {bars.map((bar, index) => (
          <i key={index} className={length && index / bars.length < at / length ? "is-past" : ""} style={{ height: 5 + bar * 19 }} />
        ))}
      </span>
      <span className="phone-seconds">{`${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`}</span>
    </span>
  );
}

function Place({ node }) {
  return (
    <span className="phone-place">
      <span className="phone-map" aria-hidden="true"><Icon name="pin" size={30} /></span>
      <strong>{node.name || "Pinned place"}</strong>
      {node.address && <span>{node.address}</span>}
      <span className="phone-small">{`${Number(node.latitude).toFixed(5)}, ${Number(node.longitude).toFixed(5)}`}</span>
    </span>
  );
}

function Cards({ cards }) {
  return cards.map((card, at) => (
    <span className="phone-card" key={at}>
      <Icon name="person" />
      <span>
        <strong>{card.name?.formatted_name}</strong>
        <span className="phone-small">{(card.phones || []).map((each) => each.phone).join(", ")}</span>
      </span>
    </span>
  ));
}

function Paper({ base, node }) {
  return (
    <a className="phone-card" href={fileUrl(base, node)} target="_blank" rel="noreferrer noopener">
      <Icon name="file" />
      <span>
        <strong>{node.filename || "Document"}</strong>
        <span className="phone-small">{(node.mime_type || "document").split("/").pop().toUpperCase().slice(0, 12)}</span>
      </span>
    </a>
  );
}

function Head({ base, header, onShow }) {
  if (!header) return null;
  if (header.type === "text") return <strong className="phone-heading">{header.text}</strong>;
  if (header.type === "image") return <Picture base={base} node={header.image} onShow={onShow} />;
  if (header.type === "video") return <video className="phone-film" src={fileUrl(base, header.video)} controls aria-label="Video" />;
  if (header.type === "document") return <Paper base={base} node={header.document} />;
  return header.type === "location" && header.location ? <Place node={header.location} /> : null;
}

function Offer({ offer }) {
  const ends = offer.expires_at && new Date(offer.expires_at * 1000);
  return (
    <span className="phone-card">
      <Icon name="clock" />
      <span>
        <strong>{offer.text}</strong>
        {ends && <span className="phone-small">{`Ends ${ends.toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })}`}</span>}
      </span>
    </span>
  );
}

/** The cards of a carousel template, beside each other. */
function Carousel({ base, message, cards, act }) {
  return (
    <span className="phone-carousel" role="group" aria-label="Cards" tabIndex={0}>
      {cards.map((card, at) => (
        <span className="phone-carousel-card" key={at}>
          <Head base={base} header={card.header} onShow={act.show} />
          {card.body && <Written text={card.body} />}
          <ChoiceRow choices={(card.buttons || []).map((button, index) => choiceOf(button, `${at}.${index}`, message, act))} />
        </span>
      ))}
    </span>
  );
}

/** A button of a template as [key, icon, words, what a tap does]. */
function choiceOf(button, key, message, act) {
  if (button.type === "QUICK_REPLY") return [key, "reply", button.text, () => act.tap(message, button.payload)];
  if (button.type === "URL") return [key, "link", button.text, () => window.open(button.url, "_blank", "noopener")];
  if (button.code) return [key, "copy", button.text || "Copy code", () => act.copy(button.code)];
  return [key, "link", button.text || "Open", () => act.say(`${button.phone_number || button.text}`)];
}

function ChoiceRow({ choices }) {
  if (!choices.length) return null;
  return (
    <span className="phone-choices">
      {choices.map(([key, icon, title, run]) => (
        <button type="button" key={key} onClick={run}>
          <Icon name={icon} size={17} /> {title}
        </button>
      ))}
    </span>
  );
}

/** The buttons under a bubble, whoever made them: interactive message or template. */
function Choices({ message, act }) {
  const { content, type } = message;
  const node = content.interactive || {};
  const action = node.action || {};
  const choices = [];
  if (type === "template") {
    for (const [at, button] of (content.seen?.buttons || []).entries()) choices.push(choiceOf(button, at, message, act));
  }
  for (const button of action.buttons || []) choices.push([button.reply.id, "reply", button.reply.title, () => act.tap(message, button.reply.id)]);
  if (node.type === "list") choices.push(["list", "list", action.button, () => act.list(message)]);
  if (node.type === "cta_url") choices.push(["url", "link", action.parameters.display_text, () => window.open(action.parameters.url, "_blank", "noopener")]);
  if (node.type === "flow") choices.push(["flow", "list", action.parameters.flow_cta, () => act.flow(message)]);
  if (node.type === "location_request_message") choices.push(["place", "pin", "Send location", () => act.place(message)]);
  return <ChoiceRow choices={choices} />;
}

function Body({ base, message, act }) {
  const { content, type } = message;
  const node = content[type] || {};
  if (message.is_revoked) return <em className="phone-gone"><Icon name="trash" size={16} /> This message was deleted</em>;
  switch (type) {
    case "text":
      return <Written text={node.body} />;
    case "image":
      return <><Picture base={base} node={node} onShow={act.show} alt={node.caption || "Photo"} />{node.caption && <Written text={node.caption} />}</>;
    case "sticker":
      return <img className="phone-sticker" src={fileUrl(base, node)} alt="Sticker" />;
    case "video":
      return <><video className="phone-film" src={fileUrl(base, node)} controls aria-label="Video" />{node.caption && <Written text={node.caption} />}</>;
    case "audio":
      return <Voice base={base} node={node} message={message} onPlayed={act.played} />;
    case "document":
      return <><Paper base={base} node={node} />{node.caption && <Written text={node.caption} />}</>;
    case "location":
      return <Place node={node} />;
    case "contacts":
      return <Cards cards={node} />;
    case "template":
      return <><Head base={base} header={content.seen?.header} onShow={act.show} />{content.seen?.offer && <Offer offer={content.seen.offer} />}<Written text={content.seen?.body || ""} />{content.seen?.footer && <span className="phone-foot">{content.seen.footer}</span>}{content.seen?.cards && <Carousel base={base} message={message} cards={content.seen.cards} act={act} />}</>;
    case "interactive":
      if (node.button_reply || node.list_reply)
        return <><strong>{(node.button_reply || node.list_reply).title}</strong>{node.list_reply?.description && <span className="phone-small">{node.list_reply.description}</span>}</>;
      if (node.nfm_reply) return <span className="phone-card"><Icon name="check" /><strong>Form sent</strong></span>;
      return <><Head base={base} header={node.header} onShow={act.show} /><Written text={node.body?.text || "Message"} />{node.footer && <span className="phone-foot">{node.footer.text}</span>}</>;
    case "button":
      return <strong>{node.text}</strong>;
    case "order":
      return <span className="phone-card"><Icon name="cart" /><span><strong>Order</strong><span className="phone-small">{(node.product_items || []).map((item) => `${item.quantity} × ${item.product_retailer_id}`).join(", ")}</span></span></span>;
    case "request_welcome":
      return <em>Opened the chat for the first time</em>;
    default:
      return <em className="phone-gone"><Icon name="warn" size={16} /> This kind of message can not be shown here</em>;
  }
}

export function Bubble({ base, message, quoted, isFirst, act }) {
  const isMine = message.direction === "inbound";
  const drag = React.useRef(null);
  const box = React.useRef(null);
  if (message.type === "system") return <li className="phone-note">{message.content.system.body}</li>;
  const down = (event) => event.pointerType === "touch" && (drag.current = { x: event.clientX, y: event.clientY });
  const move = (event) => {
    if (!drag.current) return;
    const across = event.clientX - drag.current.x;
    if (Math.abs(event.clientY - drag.current.y) > 24 || across < 0) return;
    box.current.style.transform = `translateX(${Math.min(across, SWIPE_PIXELS + 12)}px)`;
    drag.current.across = across;
  };
  const up = () => {
    if (box.current) box.current.style.transform = "";
    if ((drag.current?.across || 0) > SWIPE_PIXELS) act.reply(message);
    drag.current = null;
  };
  const reactions = Object.values(message.reactions || {});
  const isBare = message.type === "sticker" && !message.is_revoked;
  return (
    <li className={`phone-row ${isMine ? "is-mine" : "is-theirs"} ${isFirst ? "is-first" : ""}`}>
      <div className="phone-swipe" ref={box} onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={up}>
        <div className={`phone-bubble ${isBare ? "is-bare" : ""}`}>
          {message.content.referral && <span className="phone-ad"><Icon name="megaphone" size={16} /> {message.content.referral.headline}</span>}
          {quoted && <span className="phone-quote"><b>{quoted.direction === "inbound" ? "You" : "Business"}</b><span>{inOneLine(quoted)}</span></span>}
          <Body base={base} message={message} act={act} />
          <span className="phone-meta">
            {message.is_edited && !message.is_revoked && <span>edited</span>}
            <time dateTime={new Date(message.at * 1000).toISOString()}>{timeOf(message.at)}</time>
            {isMine && <Ticks status={message.status} />}
          </span>
        </div>
        {!message.is_revoked && <Choices message={message} act={act} />}
        {reactions.length > 0 && <span className="phone-reactions" role="img" aria-label={`Reactions: ${reactions.join(" ")}`}>{reactions.join(" ")}</span>}
      </div>
      {!message.is_revoked && (
        <button type="button" className="phone-round phone-more" aria-haspopup="menu" aria-label={`Actions for: ${inOneLine(message).slice(0, 40)}`} onClick={() => act.menu(message)}>
          <Icon name="down" size={18} />
        </button>
      )}
    </li>
  );
}

export function ActionsOf({ message, act, close }) {
  const isMine = message.direction === "inbound";
  const run = (step) => () => {
    close();
    step();
  };
  const mine = message.reactions?.inbound;
  return (
    <>
      <div className="phone-quick" role="group" aria-label="React">
        {QUICK.map((emoji) => (
          <button type="button" key={emoji} aria-label={mine === emoji ? `Take back ${emoji}` : `React with ${emoji}`} aria-pressed={mine === emoji} onClick={run(() => act.react(message, mine === emoji ? "" : emoji))}>
            {emoji}
          </button>
        ))}
      </div>
      <div className="phone-menu">
        <button type="button" data-first onClick={run(() => act.reply(message))}><Icon name="reply" /> Reply</button>
        <button type="button" onClick={run(() => act.copy(inOneLine(message)))}><Icon name="copy" /> Copy</button>
        {isMine && message.type === "text" && <button type="button" onClick={run(() => act.edit(message))}><Icon name="edit" /> Edit</button>}
        {isMine && <button type="button" className="is-grave" onClick={run(() => act.revoke(message))}><Icon name="trash" /> Delete for everyone</button>}
      </div>
    </>
  );
}
