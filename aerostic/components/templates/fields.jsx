// The fields of the builder. Each shows what Meta would refuse about its place, once someone was there.
import React, { useContext, useId, useRef, useState } from "react";

/** `{problems, isShown, touch, workspace}` of the builder that a field stands in. */
export const Builder = React.createContext(null);

export function useWrong(place) {
  const { problems, isShown, touch } = useContext(Builder);
  const wrong = isShown(place) ? problems.filter((one) => one.place === place).map((one) => one.message) : [];
  return [wrong, () => touch(place)];
}

export function Wrong({ messages, id }) {
  return messages.map((message) => <p className="tb-wrong" key={message} id={id} role="alert">{message}</p>);
}

/** What is wrong with a part as a whole, such as its number of buttons. */
export function PartWrong({ place }) {
  const [wrong] = useWrong(place);
  return <Wrong messages={wrong} />;
}

export function Field({ label, place, value, onChange, most, area, hint, ...rest }) {
  const id = useId();
  const [wrong, touch] = useWrong(place);
  const Tag = area ? "textarea" : "input";
  const change = (event) => { touch(); onChange(event.target.value); };
  return (
    <div className="tb-label">
      <label htmlFor={id}>{label}</label>
      <Tag id={id} value={value ?? ""} onChange={change} onBlur={touch} aria-invalid={wrong.length > 0} aria-describedby={`${id}-help`} {...(area ? {} : { type: "text" })} {...rest} />
      <span id={`${id}-help`}>
        <Wrong messages={wrong} />
        {(hint || most) && <span className="tb-under"><span>{hint}</span>{most && <span>{`${[...(value ?? "")].length} / ${most}`}</span>}</span>}
      </span>
    </div>
  );
}

export function Tick({ label, place, isOn, onChange }) {
  const [wrong, touch] = useWrong(place);
  return (
    <>
      <label className="is-line"><input type="checkbox" checked={isOn} onChange={(event) => { touch(); onChange(event.target.checked); }} />{label}</label>
      <Wrong messages={wrong} />
    </>
  );
}

/** One of a few; `options` are [value, words]. */
export function Picks({ label, value, options, onChange, disabled }) {
  return (
    <div className="tb-picks" role="group" aria-label={label}>
      {options.map(([key, words]) => (
        <button type="button" key={key} aria-pressed={key === value} disabled={disabled} onClick={() => onChange(key)}>{words}</button>
      ))}
    </div>
  );
}

const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;
export const variablesOf = (text) => [...new Set([...String(text || "").matchAll(VARIABLE)].map((found) => found[1]))];

/** The next variable of a text: {{1}}, {{2}} …, or a name of its own. */
const nextOf = (text, isNamed) => {
  const names = variablesOf(text);
  if (!isNamed) return String(names.length + 1);
  let number = names.length + 1;
  while (names.includes(`name_${number}`)) number += 1;
  return names.length ? `name_${number}` : "first_name";
};

/** A text with its variables and an example for each. */
export function Written({ label, place, part, onChange, isNamed, most, area, hint, canDecorate, ...rest }) {
  const box = useRef(null);
  const names = variablesOf(part.text);
  const around = (before, after) => {
    const field = box.current?.querySelector("textarea, input");
    const [from, to] = field ? [field.selectionStart, field.selectionEnd] : [part.text.length, part.text.length];
    const text = part.text.slice(0, from) + before + part.text.slice(from, to) + after + part.text.slice(to);
    onChange({ ...part, text });
    requestAnimationFrame(() => { field?.focus(); field?.setSelectionRange(from + before.length, to + before.length); });
  };
  return (
    <div ref={box} style={{ display: "flex", flexDirection: "column", gap: 10 }}>
      <Field label={label} place={`${place}.text`} value={part.text} most={most} area={area} hint={hint} onChange={(text) => onChange({ ...part, text })} {...rest} />
      <div className="tb-tools" role="group" aria-label={`Format: ${label}`}>
        {canDecorate && [["*", "Bold", "B"], ["_", "Italic", "I"], ["~", "Struck through", "S"], ["`", "Monospace", "<>"]].map(([mark, words, sign]) => (
          <button type="button" key={mark} aria-label={words} title={words} onClick={() => around(mark, mark)}>{sign}</button>
        ))}
        <button type="button" onClick={() => around(`{{${nextOf(part.text, isNamed)}}}`, "")}>+ Variable</button>
      </div>
      {names.length > 0 && (
        <div className="tb-pair">
          {names.map((name) => (
            <Field key={name} label={`Example for {{${name}}}`} place={`${place}.examples.${name}`} value={part.examples?.[name]} maxLength={200}
              onChange={(example) => onChange({ ...part, examples: { ...part.examples, [name]: example } })} />
          ))}
        </div>
      )}
    </div>
  );
}

const ACCEPTED = { IMAGE: "image/jpeg,image/png", VIDEO: "video/mp4", DOCUMENT: "application/pdf" };
const LIMITS = { IMAGE: "JPEG or PNG, up to 5 MB", VIDEO: "MP4, up to 16 MB", DOCUMENT: "PDF, up to 100 MB" };

/** The sample of a media header. */
export function Sample({ place, header, onChange }) {
  const id = useId();
  const { workspace } = useContext(Builder);
  const [state, setState] = useState("");
  const [wrong, touch] = useWrong(`${place}.media_id`);
  const kind = header.format.toLowerCase();
  const take = async () => {
    touch();
    setState("Uploading …");
    const answer = await window.aerostic.upload(id, "/api/v1/media", workspace);
    if (!answer.ok) return setState(answer.body?.detail || "The file did not arrive. Try again.");
    setState("Uploaded.");
    onChange({ ...header, media_id: answer.body.id, handle: "" });
  };
  return (
    <div className="tb-label">
      <label htmlFor={id}>{header.media_id || header.handle ? `Another ${kind} as the sample` : `The ${kind}: a sample for Meta’s review`}
        <input id={id} type="file" accept={ACCEPTED[header.format]} onChange={take} aria-invalid={wrong.length > 0} />
      </label>
      <Wrong messages={wrong} />
      <span className="tb-under" role="status">{state || `${LIMITS[header.format]}. Each message may carry another one.`}</span>
    </div>
  );
}
