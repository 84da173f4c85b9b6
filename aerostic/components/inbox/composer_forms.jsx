import { useEffect, useId, useRef, useState } from "react";
import { upload } from "./upload.js";

function Sheet({ title, ready, onClose, onSubmit, children }) {
  const dialog = useRef(null);
  const heading = useId();
  useEffect(() => { dialog.current.showModal(); }, []);
  const submit = (event) => { event.preventDefault(); if (ready) onSubmit(); };
  return (
    <dialog className="cp-dialog" ref={dialog} aria-labelledby={heading} onClose={onClose}>
      <form className="cp-form" onSubmit={submit}>
        <h2 id={heading}>{title}</h2>
        {children}
        <div className="cp-acts">
          <button type="button" className="cp-plain" onClick={() => dialog.current.close()}>Cancel</button>
          <button type="submit" className="cp-send" disabled={!ready}>Send</button>
        </div>
      </form>
    </dialog>
  );
}

function Field({ label, value, onChange, area, ...rest }) {
  const Tag = area ? "textarea" : "input";
  return <label>{label}<Tag value={value} onChange={(event) => onChange(event.target.value)} {...rest} /></label>;
}

function useFields(initial) {
  const [values, setValues] = useState(initial);
  return [values, (name) => (value) => setValues((now) => ({ ...now, [name]: value }))];
}

export function LocationForm({ onDone, onClose }) {
  const [form, set] = useFields({ latitude: "", longitude: "", name: "", address: "" });
  const inside = (text, most) => text.trim() !== "" && Math.abs(Number(text)) <= most;
  const ready = inside(form.latitude, 90) && inside(form.longitude, 180);
  return (
    <Sheet title="Send a location" ready={ready} onClose={onClose} onSubmit={() => onDone({ kind: "location", ...form })}>
      <div className="cp-pair">
        <Field label="Latitude" inputMode="decimal" value={form.latitude} onChange={set("latitude")} placeholder="52.3702" />
        <Field label="Longitude" inputMode="decimal" value={form.longitude} onChange={set("longitude")} placeholder="4.8952" />
      </div>
      <Field label="Name (optional)" value={form.name} onChange={set("name")} maxLength={100} />
      <Field label="Address (optional)" value={form.address} onChange={set("address")} maxLength={200} />
    </Sheet>
  );
}

export function ContactForm({ onDone, onClose }) {
  const [form, set] = useFields({ name: "", phone: "", email: "", organisation: "" });
  return (
    <Sheet title="Send a contact" ready={Boolean(form.name.trim() && (form.phone.trim() || form.email.trim()))} onClose={onClose} onSubmit={() => onDone({ kind: "contact", ...form })}>
      <Field label="Name" value={form.name} onChange={set("name")} maxLength={100} />
      <Field label="Phone number" type="tel" value={form.phone} onChange={set("phone")} />
      <Field label="E-mail (optional)" type="email" value={form.email} onChange={set("email")} />
      <Field label="Company (optional)" value={form.organisation} onChange={set("organisation")} />
    </Sheet>
  );
}

export function ButtonsForm({ onDone, onClose }) {
  const [form, set] = useFields({ header: "", body: "", footer: "", one: "", two: "", three: "" });
  const buttons = [form.one, form.two, form.three].map((title) => title.trim()).filter(Boolean);
  const ready = Boolean(form.body.trim()) && buttons.length > 0 && new Set(buttons).size === buttons.length;
  return (
    <Sheet title="Question with buttons" ready={ready} onClose={onClose} onSubmit={() => onDone({ kind: "buttons", header: form.header, body: form.body, footer: form.footer, buttons })}>
      <Field label="Question" area rows={3} value={form.body} onChange={set("body")} maxLength={1024} />
      <Field label="Button 1" value={form.one} onChange={set("one")} maxLength={20} />
      <Field label="Button 2 (optional)" value={form.two} onChange={set("two")} maxLength={20} />
      <Field label="Button 3 (optional)" value={form.three} onChange={set("three")} maxLength={20} />
      <div className="cp-pair">
        <Field label="Heading (optional)" value={form.header} onChange={set("header")} maxLength={60} />
        <Field label="Small print (optional)" value={form.footer} onChange={set("footer")} maxLength={60} />
      </div>
    </Sheet>
  );
}

export function ListForm({ onDone, onClose }) {
  const [form, set] = useFields({ body: "", button: "Choose", lines: "" });
  const rows = form.lines.split("\n").map((line) => line.split("|").map((part) => part.trim())).filter(([title]) => title).map(([title, description = ""]) => ({ title, description }));
  const fits = rows.length > 0 && rows.length <= 10 && rows.every((row) => row.title.length <= 24 && row.description.length <= 72);
  return (
    <Sheet title="Question with a list" ready={Boolean(form.body.trim() && form.button.trim()) && fits} onClose={onClose} onSubmit={() => onDone({ kind: "list", body: form.body, button: form.button, rows })}>
      <Field label="Question" area rows={3} value={form.body} onChange={set("body")} maxLength={1024} />
      <Field label="Text on the button" value={form.button} onChange={set("button")} maxLength={20} />
      <Field label="Choices: one a line, at most 10; after | a description" area rows={6} value={form.lines} onChange={set("lines")} placeholder={"Delivery | Tomorrow before noon\nPick up | Today until 18:00"} />
      {rows.length > 0 && !fits && <p className="cp-state is-bad">At most 10 lines; a title has up to 24 characters and a description up to 72.</p>}
    </Sheet>
  );
}

function filled(text, values, place) {
  return text.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (whole, name) => values[`${place}.${name}`] || whole);
}

const PLACES = { body: "Text", header: "Heading", button: "Button", offer: "Offer" };
const FILES = { image: ["Picture", "image/jpeg,image/png"], video: ["Video", "video/mp4"], document: ["Document", undefined] };

/** What a gap is called: “Text: 1”, “Card 2, button: 1”. */
function wordsOf({ place, name }) {
  const card = /^card\.(\d+)(\.button)?$/.exec(place);
  if (card) return `Card ${Number(card[1]) + 1}${card[2] ? ", button" : ""}: ${name}`;
  if (place === "offer") return "The offer ends";
  return `${PLACES[place] ?? place}: ${name}`;
}

function Gap({ parameter, value, workspace, onChange }) {
  const [state, setState] = useState("");
  const file = FILES[parameter.kind];
  if (parameter.kind === "moment") {
    const take = (event) => onChange(event.target.value ? new Date(event.target.value).toISOString() : "");
    return <label>{wordsOf(parameter)}<input type="datetime-local" onChange={take} /></label>;
  }
  if (!file) {
    return <Field label={wordsOf(parameter)} value={value} placeholder={parameter.example} onChange={onChange} />;
  }
  const take = async (file) => {
    if (!file) return;
    setState("Uploading …");
    try {
      onChange((await upload(file, workspace)).id);
      setState("Uploaded.");
    } catch (error) {
      setState(error.message);
    }
  };
  const where = parameter.place === "header" ? "at the top" : `of card ${Number(parameter.place.slice(5)) + 1}`;
  return <label>{`${file[0]} ${where}`}<input type="file" accept={file[1]} onChange={(event) => take(event.target.files[0])} /><span className="cp-state" role="status">{state}</span></label>;
}

export function TemplateForm({ templates, workspace, onDone, onClose }) {
  const [sought, setSought] = useState("");
  const [chosen, setChosen] = useState("");
  const [values, setValues] = useState({});
  const template = templates.find((one) => one.id === chosen);
  const shown = templates.filter((one) => `${one.name} ${one.body}`.toLowerCase().includes(sought.toLowerCase())).slice(0, 50);
  const keyOf = (parameter) => `${parameter.place}.${parameter.name}`;
  const ready = Boolean(template) && template.parameters.every((parameter) => values[keyOf(parameter)]?.trim());
  return (
    <Sheet title="Send a template" ready={ready} onClose={onClose} onSubmit={() => onDone({ template_id: chosen, variables: values })}>
      {templates.length === 0 && <p>This account has no approved templates yet. Make one under Templates, or press “Synchronise” there for those that Meta has.</p>}
      {templates.length > 6 && <Field label="Find" value={sought} onChange={setSought} placeholder="Name or words" />}
      <div className="cp-templates" role="group" aria-label="Approved templates">
        {shown.map((one) => (
          <button type="button" key={one.id} aria-pressed={one.id === chosen} onClick={() => { setChosen(one.id); setValues({}); }}>
            <b>{one.name}</b> <span className="ib-small">{one.language} · {one.category.toLowerCase()}</span><br />{one.body.slice(0, 110)}
          </button>
        ))}
      </div>
      {template?.parameters.map((parameter) => (
        <Gap key={keyOf(parameter)} parameter={parameter} workspace={workspace} value={values[keyOf(parameter)] ?? ""}
          onChange={(value) => setValues((now) => ({ ...now, [keyOf(parameter)]: value }))} />
      ))}
      {template && (
        <div className="cp-preview" aria-label="Preview">
          {template.header && <b>{filled(template.header, values, "header")}{"\n"}</b>}{filled(template.body, values, "body")}{template.footer && <div className="ib-small">{template.footer}</div>}
          {template.buttons.map((button, at) => <div key={at} className="ib-small">[ {button.title} ]</div>)}
        </div>
      )}
    </Sheet>
  );
}
