// The builder: what is written stands here, the server keeps it after each pause and says what Meta would refuse.
import React, { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Buttons, CodeButton } from "./buttons.jsx";
import { Builder, Field, PartWrong, Picks, Sample, Tick, Written } from "./fields.jsx";
import { TemplatePreview } from "./preview.jsx";
import "./templates.css";

const PAUSE = 700;
const CATEGORIES = [["MARKETING", "Marketing"], ["UTILITY", "Utility"], ["AUTHENTICATION", "Authentication"]];
const CATEGORY_NOTES = {
  MARKETING: "Offers, news, invitations: everything that is not about something the customer asked for.",
  UTILITY: "About an order, an appointment, an account: something that the customer began.",
  AUTHENTICATION: "A one-time code. WhatsApp writes the words.",
};
const HEADERS = [["", "None"], ["TEXT", "Text"], ["IMAGE", "Image"], ["VIDEO", "Video"], ["DOCUMENT", "Document"], ["LOCATION", "Place"]];
const LIFETIMES = {
  AUTHENTICATION: [[60, "1 minute"], [300, "5 minutes"], [600, "10 minutes"], [900, "15 minutes"]],
  UTILITY: [[300, "5 minutes"], [3600, "1 hour"], [21600, "6 hours"], [43200, "12 hours"]],
  MARKETING: [[43200, "12 hours"], [86400, "1 day"], [604800, "7 days"], [2592000, "30 days"]],
};
const EMPTY_TEXT = { text: "", examples: {} };
const freshHeader = (format) => (format ? { format, text: "", examples: {}, media_id: "", handle: "" } : null);
const freshCard = (first) => ({
  header: freshHeader(first?.header.format || "IMAGE"),
  body: first && !first.body ? null : { ...EMPTY_TEXT },
  buttons: (first?.buttons || [{ kind: "QUICK_REPLY" }]).map((button) => ({ ...button, text: first ? button.text : "" })),
});
const kindOf = (definition) => (definition.cards?.length ? "cards" : definition.offer ? "offer" : "plain");

/** The same contents as another kind of template. */
function turned(definition, kind) {
  const base = { ...definition, cards: [], offer: null };
  if (kind === "cards") return { ...base, header: null, footer: null, buttons: [], cards: [freshCard(), freshCard()] };
  if (kind !== "offer") return base;
  const link = definition.buttons.find((one) => one.kind === "URL") || { kind: "URL", text: "", url: "", example: "" };
  return { ...base, footer: null, header: freshHeader("IMAGE"), offer: { text: "", has_expiration: true }, buttons: [{ kind: "COPY_CODE", text: "", example: "" }, link] };
}

function inCategory(definition, category) {
  const next = { ...definition, category, ttl_seconds: null };
  if (category === "AUTHENTICATION") return { ...next, header: null, offer: null, cards: [], footer: { text: "", code_expiration_minutes: 10 }, buttons: [{ kind: "OTP", otp_type: "COPY_CODE", text: "", apps: [] }] };
  if (definition.category === "AUTHENTICATION") return { ...next, footer: null, buttons: [] };
  return category === "UTILITY" && definition.offer ? { ...next, offer: null } : next;
}

function Part({ title, note, children }) {
  return (
    <section className="tb-part">
      <header><h3>{title}</h3></header>
      {note && <p className="tb-note">{note}</p>}
      {children}
    </section>
  );
}

function HeaderPart({ definition, set, formats }) {
  const header = definition.header;
  const isNamed = definition.parameter_format === "NAMED";
  return (
    <Part title="Header" note="Optional. What stands above the text.">
      <Picks label="Kind of header" value={header?.format || ""} options={formats} onChange={(format) => set("header")(freshHeader(format))} />
      <PartWrong place="header" />
      {header?.format === "TEXT" && <Written label="Heading" place="header" part={header} most={60} isNamed={isNamed} onChange={set("header")} />}
      {["IMAGE", "VIDEO", "DOCUMENT"].includes(header?.format) && <Sample key={header.format} place="header" header={header} onChange={set("header")} />}
      {header?.format === "LOCATION" && <p className="tb-note">Each message brings its own place.</p>}
    </Part>
  );
}

function FooterPart({ definition, set }) {
  const footer = definition.footer;
  return (
    <Part title="Footer" note="Optional. A line of small print.">
      {footer ? (
        <>
          <Field label="Footer" place="footer.text" value={footer.text} most={60} onChange={(text) => set("footer")({ ...footer, text })} />
          <div className="tb-tools"><button type="button" onClick={() => set("footer")(null)}>Remove the footer</button></div>
        </>
      ) : (
        <div className="tb-tools"><button type="button" onClick={() => set("footer")({ text: "", code_expiration_minutes: null })}>+ Footer</button></div>
      )}
    </Part>
  );
}

function CardsPart({ definition, set }) {
  const [shown, show] = useState(0);
  const cards = definition.cards;
  const at = Math.min(shown, cards.length - 1);
  const card = cards[at];
  const place = `cards.${at}`;
  const change = (changed) => set("cards")(cards.map((one, index) => (index === at ? changed : one)));
  const everyCard = (how) => set("cards")(cards.map(how));
  return (
    <Part title="Cards" note="2 to 10 cards, all built alike: the same kind of header, text or none, the same buttons.">
      <PartWrong place="cards" />
      <div className="tb-picks" role="group" aria-label="Card">
        {cards.map((_, index) => <button type="button" key={index} aria-pressed={index === at} onClick={() => show(index)}>{`Card ${index + 1}`}</button>)}
        {cards.length < 10 && <button type="button" onClick={() => { set("cards")([...cards, freshCard(cards[0])]); show(cards.length); }}>+ Card</button>}
      </div>
      <Picks label="What cards show" value={card.header.format} options={[["IMAGE", "Images"], ["VIDEO", "Videos"]]} onChange={(format) => everyCard((one) => ({ ...one, header: freshHeader(format) }))} />
      <PartWrong place={`${place}.header.format`} />
      <Sample key={`${at}-${card.header.format}`} place={`${place}.header`} header={card.header} onChange={(header) => change({ ...card, header })} />
      <label className="is-line"><input type="checkbox" checked={Boolean(card.body)} onChange={(event) => everyCard((one) => ({ ...one, body: event.target.checked ? { ...EMPTY_TEXT } : null }))} />Cards have a text</label>
      {card.body && <Written key={at} label="Text of the card" place={`${place}.body`} part={card.body} area rows={3} most={160} canDecorate isNamed={definition.parameter_format === "NAMED"} onChange={(body) => change({ ...card, body })} />}
      <Buttons buttons={card.buttons} place={`${place}.buttons`} kinds={["QUICK_REPLY", "URL", "PHONE_NUMBER"]} most={2} onChange={(buttons) => change({ ...card, buttons })} />
      {cards.length > 2 && <div className="tb-tools"><button type="button" className="is-grave" onClick={() => { set("cards")(cards.filter((_, index) => index !== at)); show(0); }}>{`Remove card ${at + 1}`}</button></div>}
    </Part>
  );
}

function CodeParts({ definition, set }) {
  const minutes = definition.footer?.code_expiration_minutes;
  return (
    <>
      <Part title="Text" note="WhatsApp writes it, in the language of the template.">
        <Tick label="Add “For your security, do not share this code.”" place="body.add_security_recommendation" isOn={Boolean(definition.body.add_security_recommendation)} onChange={(isOn) => set("body")({ ...definition.body, add_security_recommendation: isOn })} />
        <Tick label="Say how long the code is valid" place="footer" isOn={Boolean(definition.footer)} onChange={(isOn) => set("footer")(isOn ? { text: "", code_expiration_minutes: 10 } : null)} />
        {definition.footer && <Field label="Minutes (1 to 90)" place="footer.code_expiration_minutes" value={minutes ?? ""} inputMode="numeric" onChange={(value) => set("footer")({ text: "", code_expiration_minutes: Number.parseInt(value, 10) || 0 })} />}
      </Part>
      <Part title="Button" note="Fill-in works in Android apps that you name; elsewhere people copy the code.">
        <CodeButton button={definition.buttons[0] || { kind: "OTP", otp_type: "COPY_CODE", apps: [] }} onChange={(button) => set("buttons")([button])} />
      </Part>
    </>
  );
}

function PlainParts({ definition, set }) {
  const isNamed = definition.parameter_format === "NAMED";
  const kind = kindOf(definition);
  return (
    <>
      {kind !== "cards" && <HeaderPart definition={definition} set={set} formats={kind === "offer" ? HEADERS.filter(([format]) => ["", "IMAGE", "VIDEO"].includes(format)) : HEADERS} />}
      {kind === "offer" && (
        <Part title="Offer">
          <Field label="The offer in a few words" place="offer.text" value={definition.offer.text} most={16} onChange={(text) => set("offer")({ ...definition.offer, text })} />
          <Tick label="WhatsApp counts down to its end; each message says when that is" place="offer.has_expiration" isOn={definition.offer.has_expiration} onChange={(isOn) => set("offer")({ ...definition.offer, has_expiration: isOn })} />
        </Part>
      )}
      <Part title={kind === "cards" ? "Text above the cards" : "Text"}>
        <Written label="Text" place="body" part={definition.body} area rows={6} most={kind === "offer" ? 600 : 1024} canDecorate isNamed={isNamed} onChange={set("body")} hint="Variables are filled for each recipient." />
      </Part>
      {kind === "plain" && <FooterPart definition={definition} set={set} />}
      {kind === "cards" ? <CardsPart definition={definition} set={set} /> : (
        <Part title="Buttons" note={kind === "offer" ? "A link, and before it a coupon code if there is one." : "Optional, up to ten. With more than three, the phone shows a list."}>
          <Buttons buttons={definition.buttons} place="buttons" kinds={kind === "offer" ? ["COPY_CODE", "URL"] : undefined} onChange={set("buttons")} />
        </Part>
      )}
    </>
  );
}

/** Which card a problem is about, if it is about one. */
const whereOf = ({ place }) => (/^cards\.\d+\./.test(place) ? `Card ${Number(place.split(".")[1]) + 1}: ` : "");

function Todo({ problems }) {
  if (!problems.length) return <p className="tb-ready">✓ Nothing that Meta would refuse at once.</p>;
  return (
    <>
      <p className="tb-note">{problems.length === 1 ? "One thing is still to do:" : `${problems.length} things are still to do:`}</p>
      <ul className="tb-todo">{problems.slice(0, 6).map((one) => <li key={one.place + one.message}>{whereOf(one) + one.message}</li>)}</ul>
      {problems.length > 6 && <p className="tb-note">{`And ${problems.length - 6} more.`}</p>}
    </>
  );
}

export function TemplateBuilder({ workspace, opened, problems, saved, isSubmitted, isApproved, isBusy, name, onWrite, onSubmitTemplate }) {
  const [definition, setDefinition] = useState(opened.definition);
  const [touched, setTouched] = useState(new Set());
  const [isAsked, setAsked] = useState(false);
  const [isDirty, setDirty] = useState(false);
  const timer = useRef(null);
  const newest = useRef(definition);
  useEffect(() => {
    setDefinition(opened.definition);
    newest.current = opened.definition;
    setTouched(new Set());
    setAsked(false);
    setDirty(false);
    clearTimeout(timer.current);
  }, [opened.number]);
  const keep = useCallback(() => { clearTimeout(timer.current); timer.current = null; onWrite({ definition: newest.current }); }, [onWrite]);
  useEffect(() => setDirty(Boolean(timer.current)), [saved.at]);
  useEffect(() => () => { if (timer.current) keep(); }, []);
  const change = (next) => {
    newest.current = next;
    setDefinition(next);
    setDirty(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(keep, PAUSE);
  };
  const set = (part) => (value) => change({ ...newest.current, [part]: value });
  const touch = useCallback((place) => setTouched((now) => (now.has(place) ? now : new Set(now).add(place))), []);
  const shared = useMemo(() => ({ problems, workspace, touch, isShown: (place) => isAsked || touched.has(place) }), [problems, workspace, touch, isAsked, touched]);
  if (!definition?.body) return null;
  const submit = () => {
    setAsked(true);
    clearTimeout(timer.current);
    timer.current = null;
    onSubmitTemplate({ definition: newest.current });
  };
  const isCode = definition.category === "AUTHENTICATION";
  const state = saved.problem || (isDirty ? "Not kept yet …" : saved.at ? `Kept at ${new Date(saved.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}` : "");
  return (
    <Builder.Provider value={shared}>
      <div className="tb">
        <div className="tb-form">
          <Part title="Category" note={CATEGORY_NOTES[definition.category]}>
            <Picks label="Category" value={definition.category} options={CATEGORIES} disabled={isApproved} onChange={(category) => change(inCategory(newest.current, category))} />
            {isApproved && <p className="tb-note">Meta does not let the category of an approved template change.</p>}
            <PartWrong place="category" />
            {!isCode && (
              <>
                <span className="tb-label">Kind</span>
                <Picks label="Kind of template" value={kindOf(definition)} onChange={(kind) => change(turned(newest.current, kind))}
                  options={[["plain", "Text with parts around it"], ["cards", "Carousel"], ...(definition.category === "MARKETING" ? [["offer", "Limited-time offer"]] : [])]} />
                <span className="tb-label">Variables are written as</span>
                <Picks label="Kind of variables" value={definition.parameter_format} options={[["POSITIONAL", "Numbers: {{1}}"], ["NAMED", "Names: {{first_name}}"]]} disabled={isSubmitted} onChange={set("parameter_format")} />
                <PartWrong place="parameter_format" />
              </>
            )}
          </Part>
          {isCode ? <CodeParts definition={definition} set={set} /> : <PlainParts definition={definition} set={set} />}
          <Part title="Time to deliver" note="For how long Meta tries, where a phone is off. After that the message fails, and costs nothing.">
            <label>Try for
              <select value={definition.ttl_seconds ?? ""} onChange={(event) => set("ttl_seconds")(event.target.value ? Number(event.target.value) : null)}>
                <option value="">as long as Meta usually does</option>
                {LIFETIMES[definition.category].map(([seconds, words]) => <option key={seconds} value={seconds}>{words}</option>)}
              </select>
            </label>
            <PartWrong place="ttl_seconds" />
          </Part>
        </div>
        <div className="tb-side">
          <TemplatePreview definition={definition} name={name} />
          <Todo problems={problems} />
          <button type="button" className="is-main" disabled={isBusy} onClick={submit}>{isBusy ? "Submitting …" : isSubmitted ? "Submit the changes" : "Submit for review"}</button>
          <p className={`tb-state ${saved.problem ? "is-bad" : ""}`} role="status">{state}</p>
        </div>
      </div>
    </Builder.Provider>
  );
}
