// A node's form, drawn from the JSON schema of its settings.
import { createContext, useContext, useEffect, useId, useRef, useState } from "react";
import { ArrowDown, ArrowUp, Braces, Plus, Trash2, Upload } from "lucide-react";
import { optionsOf, resolved, spoken } from "./signs.jsx";
import { VariableList } from "./variables.jsx";

const Filling = createContext({ root: {}, choices: {}, variables: () => [], findings: [], mayEdit: true });

export function SettingsForm({ schema, config, onChange, choices, variables, findings, mayEdit, workspace }) {
  return (
    <Filling.Provider value={{ root: schema, config, choices, variables, findings, mayEdit, workspace }}>
      <Properties schema={schema} value={config} path="" onChange={onChange} />
      {Object.keys(schema?.properties || {}).length === 0 && <p className="fl-quiet">There is nothing to set here.</p>}
    </Filling.Provider>
  );
}

function Properties({ schema, value, path, onChange }) {
  const { root } = useContext(Filling);
  const required = new Set(schema.required || []);
  const set = (name, given) => {
    const next = { ...(value || {}) };
    if (given === undefined) delete next[name];
    else next[name] = given;
    onChange(next, path ? `${path}.${name}` : name);
  };
  const shown = Object.entries(schema.properties || {})
    .map(([name, raw]) => [name, resolved(raw, root)])
    .filter(([, inside]) => inside.widget !== "row_id" && !(inside.const !== undefined && !inside.enum) && isShown(inside, value || {}, schema, root));
  const field = ([name, inside]) => <Field key={name} name={name} schema={inside} value={value?.[name]} path={path ? `${path}.${name}` : name} isRequired={required.has(name)} onChange={(given) => set(name, given)} />;
  const sections = Object.groupBy(shown.filter(([, inside]) => inside.section), ([, inside]) => inside.section);
  return (
    <>
      {shown.filter(([, inside]) => !inside.section).map(field)}
      {Object.entries(sections).map(([title, fields]) => (
        <details key={title} className="fl-section" open={fields.some(([name]) => value?.[name] !== undefined && value[name] !== "")}>
          <summary>{title}</summary>
          <div className="fl-group">{fields.map(field)}</div>
        </details>
      ))}
    </>
  );
}

/** `show_if: {"auth": ["basic"]}`: there only with one of these values beside it. `hidden_for`: not with these comparisons. */
function isShown(schema, values, owner, root) {
  const here = (name) => values[name] ?? resolved(owner.properties?.[name] || {}, root).default;
  const isWanted = Object.entries(schema.show_if || {}).every(([name, wanted]) => [].concat(wanted).includes(here(name)));
  return isWanted && !(schema.hidden_for || []).includes(here("compare"));
}

const widgetOf = (schema) => {
  if (schema.oneOf || (schema.anyOf && schema.discriminator)) return "variant";
  if (schema.anyOf) return anyOfWidget(schema);
  if (schema.widget === "text" || !schema.widget) return byType(schema);
  return schema.widget === "rows" && schema.type === "object" ? "pairs" : schema.widget;
};

function byType(schema) {
  if (optionsOf(schema)) return "select";
  if (schema.type === "boolean") return "switch";
  if (schema.type === "integer" || schema.type === "number") return "figure";
  if (schema.type === "array") return arrayWidget(schema.items || {});
  if (schema.type === "object") return schema.properties ? "group" : "pairs";
  return schema.type === "string" ? "text" : "json";
}

/** A few of a closed list, words, or rows of fields. */
function arrayWidget(items) {
  if (items.$ref) return "listed";
  return items.type === "string" ? "words" : "rows";
}

/** A number or a template, a flag or a template: shown as the plain one of them. */
function anyOfWidget(schema) {
  if (schema.widget) return schema.widget;
  const types = schema.anyOf.map((one) => one.type);
  if (types.includes("integer") || types.includes("number")) return "figure";
  if (types.every((type) => type === "string" || type === "null")) return "text";
  return types.includes("object") || types.includes("array") ? "json" : "text";
}

function Field({ name, schema, value, path, isRequired, onChange }) {
  const { findings } = useContext(Filling);
  const id = useId();
  const widget = widgetOf(schema);
  const found = findings.filter((one) => one.field === path);
  const Control = CONTROLS[widget] || Text;
  const title = schema.title || spoken(name);
  const shown = value === undefined ? schema.default : value;
  const control = <Control id={id} schema={schema} value={shown} path={path} title={title} onChange={onChange} isWrong={found.some((one) => one.severity === "error")} />;
  const help = found.length
    ? found.map((one) => <p key={one.sentence} className={`fl-found is-${one.severity}`}>{one.sentence}</p>)
    : schema.description && widget !== "template_values" && <p className="fl-hint">{schema.description}</p>;
  if (widget === "switch") return <div className="fl-field" data-field={path}><label className="fl-switch-row" htmlFor={id}>{control}<span>{title}</span></label><div id={`${id}-help`}>{help}</div></div>;
  if (["group", "rows", "pairs", "variant", "listed", "template_values"].includes(widget)) {
    return <fieldset className="fl-field fl-set" data-field={path}><legend>{title}</legend>{help}{control}</fieldset>;
  }
  return (
    <div className="fl-field" data-field={path}>
      <label htmlFor={id}>{title}{isRequired && <span className="fl-needed" aria-hidden="true" />}</label>
      {control}
      <div id={`${id}-help`} aria-live="polite">{help}</div>
    </div>
  );
}

// Text with values ---------------------------------------------------------------------------------

const asText = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

function Text({ id, schema, value, onChange, isWrong, isLong, title, read = (text) => text, placeholder }) {
  const { variables, mayEdit } = useContext(Filling);
  const field = useRef(null);
  const [open, setOpen] = useState(null); // {typed} after `{{`, {} from the button
  const text = asText(value);
  const set = (given) => onChange(given === "" && !schema.default ? undefined : read(given));
  const typedAt = (element) => {
    const found = /\{\{\s*([^{}]*)$/.exec(element.value.slice(0, element.selectionStart));
    setOpen(found ? { typed: found[1] } : null);
  };
  const pick = (path) => {
    const element = field.current;
    const caret = element.selectionStart ?? text.length;
    const begins = element.value.slice(0, caret).replace(open?.typed === undefined ? /$^/ : /\{\{\s*[^{}]*$/, "");
    const inserted = `${begins}{{ ${path} }}`;
    set(inserted + element.value.slice(caret).replace(open?.typed === undefined ? /$^/ : /^\s*\}\}/, ""));
    setOpen(null);
    requestAnimationFrame(() => { element.focus(); element.setSelectionRange(inserted.length, inserted.length); });
  };
  const shared = {
    id, ref: field, value: text, disabled: !mayEdit, "aria-invalid": isWrong, "aria-describedby": `${id}-help`, maxLength: schema.maxLength, placeholder: placeholder ?? schema.examples?.[0] ?? schema.placeholder ?? "",
    onChange: (event) => { set(event.target.value); typedAt(event.target); },
    onBlur: () => setTimeout(() => setOpen((here) => (here?.typed === undefined ? here : null)), 120),
  };
  return (
    <div className="fl-text">
      {isLong ? <textarea className={`fl-input nowheel ${isLong === "code" ? "is-code" : ""}`} rows={isLong === "code" ? 1 : 3} spellCheck={isLong !== "code"} {...shared} /> : <input className="fl-input" autoComplete="off" {...shared} />}
      {mayEdit && schema.plain !== true && !schema.pattern && (
        <button type="button" className="fl-insert" title="Insert a value" aria-label={`Insert a value into ${title}`} aria-expanded={Boolean(open)} onClick={() => setOpen(open ? null : {})}><Braces size={14} /></button>
      )}
      {open && <VariableList variables={variables()} typed={open.typed || ""} hasOwnSearch={open.typed === undefined} onPick={pick} onClose={() => { setOpen(null); field.current?.focus(); }} />}
    </div>
  );
}

const Multiline = (props) => <Text {...props} isLong="text" />;

/** A number as far as it is one; `{{ … }}` stays as it was written. */
const Figure = (props) => <Text {...props} read={(text) => (text !== "" && String(Number(text)) === text ? Number(text) : text)} />;

/** JSON where it is; what is unfinished, or has values in it, is read by the server after filling them in. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function Json({ schema, value, onChange, ...rest }) {
  const [text, setText] = useState(null);
  const told = useRef(JSON.stringify(value));
  const keepsText = schema.type === "string";
  const shown = text ?? (typeof value === "string" || value === undefined || value === null ? asText(value) : JSON.stringify(value, null, 2));
  // What is typed stays as it is typed; what comes from elsewhere, as by undo, takes its place.
  useEffect(() => {
    if (JSON.stringify(value) !== told.current) setText(null);
    told.current = JSON.stringify(value);
  }, [value]);
  const take = (given) => {
    const meant = given === undefined || keepsText ? given : parsed(given);
    setText(given ?? "");
    told.current = JSON.stringify(meant);
    onChange(meant);
  };
  return <Text {...rest} schema={schema} value={shown} onChange={take} isLong="code" />;
}

// Choices ------------------------------------------------------------------------------------------

function Select({ id, schema, value, onChange, isWrong }) {
  const { mayEdit } = useContext(Filling);
  const options = optionsOf(schema) || [];
  const known = options.some((one) => one.value === value);
  return (
    <select id={id} className="fl-input" disabled={!mayEdit} value={known ? String(value) : ""} aria-invalid={isWrong} aria-describedby={`${id}-help`} onChange={(event) => onChange(options.find((one) => String(one.value) === event.target.value)?.value)}>
      {!known && <option value="">Choose…</option>}
      {options.map((one) => <option key={String(one.value)} value={String(one.value)}>{one.words}</option>)}
    </select>
  );
}

/** One of very many, such as the time zones: typed, with what there is offered. */
function Choice({ id, schema, value, onChange, isWrong }) {
  const { mayEdit } = useContext(Filling);
  const options = optionsOf(schema) || [];
  if (options.length <= 20) return <Select id={id} schema={schema} value={value} onChange={onChange} isWrong={isWrong} />;
  return (
    <>
      <input id={id} className="fl-input" list={`${id}-offered`} disabled={!mayEdit} value={value ?? ""} aria-invalid={isWrong} aria-describedby={`${id}-help`} autoComplete="off" onChange={(event) => onChange(event.target.value || undefined)} />
      <datalist id={`${id}-offered`}>{options.map((one) => <option key={one.value} value={one.value} />)}</datalist>
    </>
  );
}

const ZONES = () => ({ choices: Intl.supportedValuesOf("timeZone") });
const TimeZone = (props) => <Choice {...props} schema={{ ...props.schema, ...ZONES() }} />;

/** Words, each its own: typed, with Enter after it. */
function Words({ id, value, onChange, schema, title }) {
  const { mayEdit } = useContext(Filling);
  const [typed, setTyped] = useState("");
  const words = Array.isArray(value) ? value : [];
  const add = (text) => {
    const fresh = [text.trim()].filter((one) => one && !words.includes(one));
    if (fresh.length) onChange([...words, ...fresh].slice(0, schema.maxItems ?? 500));
    setTyped("");
  };
  const keys = (event) => {
    if (event.key === "Enter") { event.preventDefault(); add(typed); }
    if (event.key === "Backspace" && !typed && words.length) onChange(words.slice(0, -1));
  };
  return (
    <div className="fl-words">
      {words.map((word, at) => (
        <span key={word} className="fl-word">{word}{mayEdit && <button type="button" aria-label={`Remove ${word}`} onClick={() => onChange(words.filter((_, index) => index !== at))}>×</button>}</span>
      ))}
      <input id={id} className="fl-word-input" disabled={!mayEdit} value={typed} placeholder={words.length ? "" : "Type, then Enter"} aria-describedby={`${id}-help`} aria-label={title} onKeyDown={keys} onBlur={() => add(typed)} onChange={(event) => setTyped(event.target.value)} />
    </div>
  );
}

const EVERY = [["0 9 * * *", "Every day at 9:00"], ["0 9 * * 1-5", "Monday to Friday at 9:00"], ["0 9 * * 1", "Mondays at 9:00"], ["0 * * * *", "Every hour"], ["*/15 * * * *", "Every 15 minutes"], ["0 9 1 * *", "The first of each month at 9:00"]];

/** Minute, hour, day, month, weekday; the usual ones by name. */
function Cron({ value, onChange, ...rest }) {
  const { mayEdit } = useContext(Filling);
  const isUsual = EVERY.some(([cron]) => cron === value);
  return (
    <div className="fl-media">
      <select className="fl-input" aria-label="How often" disabled={!mayEdit} value={isUsual ? value : ""} onChange={(event) => event.target.value && onChange(event.target.value)}>
        <option value="">{value ? "As written below" : "Choose, or write it below"}</option>
        {EVERY.map(([cron, words]) => <option key={cron} value={cron}>{words}</option>)}
      </select>
      <Text {...rest} value={value} onChange={onChange} schema={{ ...rest.schema, plain: true }} placeholder="0 9 * * 1-5" />
    </div>
  );
}

function Time({ id, value, onChange, isWrong }) {
  const { mayEdit } = useContext(Filling);
  return <input id={id} type="time" className="fl-input" disabled={!mayEdit} value={value ?? ""} aria-invalid={isWrong} aria-describedby={`${id}-help`} onChange={(event) => onChange(event.target.value || undefined)} />;
}

/** A name that other steps use: no values in it. */
const Name = (props) => <Text {...props} schema={{ ...props.schema, plain: true }} />;

function Switch({ id, value, onChange }) {
  const { mayEdit } = useContext(Filling);
  return <input id={id} type="checkbox" role="switch" className="fl-switch" disabled={!mayEdit} checked={value === true} onChange={(event) => onChange(event.target.checked)} />;
}

const NONE = {
  connection: ["There is no Google connection yet.", "settings?tab=connections"], agent: ["There is no agent yet.", "ai"], knowledge: ["There is no knowledge base yet.", "knowledge"],
  workflow: ["There is no other workflow yet.", "automation"], secret: ["There is no secret yet.", "settings?tab=secrets"], template: ["There is no approved template yet.", ""],
  contact_field: ["", ""], label: ["There is no label yet.", "settings?tab=labels"], tag: ["There is no tag yet.", "contacts"], number: ["No number is connected yet.", "settings"], member: ["There is no other member yet.", "team"],
};

/** One of the workspace's own: a template, a label, a person. A value that is gone says so. */
function OneOfOurs({ id, schema, value, onChange, isWrong, title }) {
  const { choices, mayEdit, workspace } = useContext(Filling);
  const offered = choices[schema.widget] || [];
  const isMany = schema.type === "array";
  if (isMany) return <SeveralOfOurs id={id} offered={offered} value={value} onChange={onChange} title={title} widget={schema.widget} />;
  const isGone = value && !offered.some((one) => one.value === value);
  return (
    <>
      <select id={id} className="fl-input" disabled={!mayEdit} value={value ?? ""} aria-invalid={isWrong || Boolean(isGone)} aria-describedby={`${id}-help`} onChange={(event) => onChange(event.target.value || undefined)}>
        <option value="">{schema.isOptional || schema.default === "" || schema.default === null ? "None" : "Choose…"}</option>
        {isGone && <option value={value}>{/^\{\{/.test(value) ? value : "No longer there"}</option>}
        {offered.map((one) => <option key={one.value} value={one.value}>{one.words}</option>)}
      </select>
      {offered.length === 0 && <Nothing widget={schema.widget} workspace={workspace} />}
    </>
  );
}

function Nothing({ widget, workspace }) {
  const [words, page] = NONE[widget] || ["There is nothing to choose yet.", ""];
  return <p className="fl-hint">{words} {page && <a href={`/dashboard/${workspace}/${page}`} target="_blank" rel="noreferrer">Make one</a>}</p>;
}

function SeveralOfOurs({ id, offered, value, onChange, title, widget }) {
  const { mayEdit, workspace } = useContext(Filling);
  const chosen = Array.isArray(value) ? value : [];
  const toggle = (one) => onChange(chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one]);
  return (
    <div className="fl-several" role="group" aria-label={title} id={id}>
      {offered.map((one) => <button key={one.value} type="button" className="fl-chip" disabled={!mayEdit} aria-pressed={chosen.includes(one.value)} onClick={() => toggle(one.value)}>{one.words}</button>)}
      {offered.length === 0 && <Nothing widget={widget} workspace={workspace} />}
    </div>
  );
}

function Media({ id, value, onChange, schema, ...rest }) {
  const { mayEdit, workspace, choices } = useContext(Filling);
  const [problem, setProblem] = useState("");
  const [name, setName] = useState("");
  const send = async () => {
    const answer = await window.aerostic.upload(`${id}-file`, "/api/v1/media", workspace);
    if (!answer.ok) return setProblem(answer.body?.detail || "The file did not arrive. Try again.");
    setProblem("");
    setName(answer.body.file_name || "the file");
    return onChange(answer.body.id || answer.body.media_id);
  };
  const offered = choices.media?.find((one) => one.value === value);
  return (
    <div className="fl-media">
      <Text id={id} schema={schema} value={value} onChange={onChange} {...rest} placeholder="The id of a file, or {{ message.media_id }}" />
      {mayEdit && <label className="fl-button" htmlFor={`${id}-file`}><Upload size={14} aria-hidden="true" /> {name || offered?.words || (value ? "Another file" : "Choose a file")}</label>}
      <input id={`${id}-file`} type="file" className="fl-unseen" onChange={send} aria-label="Choose a file" />
      {problem && <p className="fl-found is-error" role="alert">{problem}</p>}
    </div>
  );
}

// Several, and within each other -------------------------------------------------------------------

function Group({ schema, value, path, onChange }) {
  return <div className="fl-group"><Properties schema={schema} value={value || {}} path={path} onChange={(next) => onChange(next)} /></div>;
}

/** One of several shapes, told apart by a constant: authentication by nothing, a password, a token. */
function Variant({ id, schema, value, path, onChange, title }) {
  const { root, mayEdit } = useContext(Filling);
  const key = schema.discriminator?.propertyName || "kind";
  const shapes = (schema.oneOf || schema.anyOf).map((one) => resolved(one, root)).map((shape) => ({ shape, name: resolved(shape.properties?.[key] || {}, root).const ?? resolved(shape.properties?.[key] || {}, root).default }));
  const now = shapes.find((one) => one.name === value?.[key]) || shapes[0];
  return (
    <>
      <select id={id} className="fl-input" aria-label={title} disabled={!mayEdit} value={now.name} onChange={(event) => onChange({ [key]: event.target.value })}>
        {shapes.map((one) => <option key={one.name} value={one.name}>{spoken(one.name)}</option>)}
      </select>
      <Properties schema={{ ...now.shape, properties: Object.fromEntries(Object.entries(now.shape.properties || {}).filter(([name]) => name !== key)) }} value={value || {}} path={path} onChange={(next) => onChange({ ...next, [key]: now.name })} />
    </>
  );
}

/** A new row. One whose output may be connected gets an id of its own, so that it stays connected wherever it moves. */
/** Rows of fields, or a few of a closed list: what the reference says. */
function Listed(props) {
  const { root } = useContext(Filling);
  const items = resolved(props.schema.items, root);
  return items.enum ? <SeveralOfOurs {...props} offered={optionsOf(items)} /> : <Rows {...props} />;
}

const freshRow = (schema) => {
  const ids = Object.entries(schema.properties || {}).filter(([, one]) => one.widget === "row_id");
  if (schema.type === "object") return Object.fromEntries(ids.map(([name]) => [name, `r${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`]));
  if (schema.oneOf) return { [schema.discriminator?.propertyName || "kind"]: Object.keys(schema.discriminator?.mapping || {})[0] };
  return schema.default ?? "";
};

function Rows({ schema, value, path, onChange, title }) {
  const { root, mayEdit } = useContext(Filling);
  const items = Array.isArray(value) ? value : [];
  const inside = resolved(schema.items || { type: "string" }, root);
  const isVariant = Boolean(inside.oneOf);
  const isPlain = inside.type !== "object" && !isVariant;
  const put = (at, given) => onChange(items.map((one, index) => (index === at ? given ?? freshRow(inside) : one)));
  const move = (at, by) => {
    const next = [...items];
    next.splice(at + by, 0, ...next.splice(at, 1));
    onChange(next);
  };
  const isFull = schema.maxItems !== undefined && items.length >= schema.maxItems;
  return (
    <div className="fl-rows">
      {items.map((item, at) => (
        <div key={at} className={`fl-row ${isPlain ? "is-plain" : ""}`} role="group" aria-label={`${title} ${at + 1}`}>
          <div className="fl-row-fields">
            {isPlain || isVariant
              ? <Field name={`${at + 1}`} schema={{ ...inside, title: `${title} ${at + 1}`, description: "" }} value={item} path={`${path}.${at}`} onChange={(given) => put(at, given)} />
              : <Properties schema={inside} value={item} path={`${path}.${at}`} onChange={(given) => put(at, given)} />}
          </div>
          {mayEdit && (
            <div className="fl-row-acts">
              <button type="button" aria-label={`Move row ${at + 1} up`} disabled={at === 0} onClick={() => move(at, -1)}><ArrowUp size={13} /></button>
              <button type="button" aria-label={`Move row ${at + 1} down`} disabled={at === items.length - 1} onClick={() => move(at, 1)}><ArrowDown size={13} /></button>
              <button type="button" aria-label={`Remove row ${at + 1}`} onClick={() => onChange(items.filter((_, index) => index !== at))}><Trash2 size={13} /></button>
            </div>
          )}
        </div>
      ))}
      {mayEdit && <button type="button" className="fl-button" disabled={isFull} title={isFull ? `At most ${schema.maxItems}` : undefined} onClick={() => onChange([...items, freshRow(inside)])}><Plus size={14} aria-hidden="true" /> Add</button>}
    </div>
  );
}

const pairsOf = (value) => Object.entries(value && typeof value === "object" && !Array.isArray(value) ? value : {});

function Pairs({ schema, value, path, onChange, title }) {
  const { mayEdit } = useContext(Filling);
  const [pairs, setPairs] = useState(() => pairsOf(value));
  const told = useRef(JSON.stringify(pairsOf(value)));
  useEffect(() => {
    const given = JSON.stringify(pairsOf(value));
    if (given !== told.current) { told.current = given; setPairs(pairsOf(value)); }
  }, [value]);
  const set = (next) => {
    setPairs(next);
    const kept = next.filter(([key]) => key !== "");
    told.current = JSON.stringify(pairsOf(Object.fromEntries(kept)));
    onChange(Object.fromEntries(kept));
  };
  const put = (at, pair) => set(pairs.map((one, index) => (index === at ? pair : one)));
  return (
    <div className="fl-rows">
      {pairs.map(([key, given], at) => (
        <div key={at} className="fl-pair" role="group" aria-label={`${title} ${at + 1}`}>
          <input className="fl-input" aria-label={`Name ${at + 1}`} placeholder="Name" disabled={!mayEdit} value={key} onChange={(event) => put(at, [event.target.value, given])} />
          <PairValue at={at} path={`${path}.${key}`} given={given} onChange={(next) => put(at, [key, next ?? ""])} />
          {mayEdit && <button type="button" className="fl-bare" aria-label={`Remove ${key || `row ${at + 1}`}`} onClick={() => set(pairs.filter((_, index) => index !== at))}><Trash2 size={13} /></button>}
        </div>
      ))}
      {mayEdit && <button type="button" className="fl-button" onClick={() => setPairs([...pairs, ["", ""]])}><Plus size={14} aria-hidden="true" /> Add</button>}
    </div>
  );
}

/** A field for each gap of the template that is chosen beside it. One that an expression chooses has rows of names and values. */
function TemplateValues(props) {
  const { value, onChange } = props;
  const { config, choices } = useContext(Filling);
  const chosen = config?.template;
  const template = (choices.template || []).find((one) => one.value === chosen);
  if (!chosen) return <p className="fl-hint">Choose a template first: its gaps appear here.</p>;
  if (!template) return <><p className="fl-hint">{props.schema.description}</p><Rows {...props} /></>;
  const given = rowsOf(value);
  const surplus = given.filter((one) => !template.gaps.some((gap) => gap.key === one.name));
  const put = (key, text) => {
    const others = given.filter((one) => one.name !== key);
    onChange(text ? [...others, { name: key, value: text }] : others);
  };
  return (
    <div className="fl-gaps">
      {template.gaps.map((gap) => <GapField key={gap.key} gap={gap} value={given.find((one) => one.name === gap.key)?.value} onChange={(text) => put(gap.key, text)} />)}
      {template.gaps.length === 0 && <p className="fl-hint">This template has no gaps.</p>}
      {surplus.length > 0 && <Surplus rows={surplus} onRemove={() => onChange(given.filter((one) => !surplus.includes(one)))} />}
    </div>
  );
}

const rowsOf = (value) => (Array.isArray(value) ? value : Object.entries(value || {}).map(([name, one]) => ({ name, value: one })));

function GapField({ gap, value, onChange }) {
  const { findings } = useContext(Filling);
  const id = useId();
  const found = findings.filter((one) => one.field === `variables.${gap.key}`);
  const Control = ["image", "video", "document"].includes(gap.kind) ? Media : Text;
  return (
    <div className="fl-field" data-field={`variables.${gap.key}`}>
      <label htmlFor={id}>{gap.words}<span className="fl-needed" aria-hidden="true" /></label>
      <Control id={id} schema={{}} value={value} title={gap.words} isWrong={found.length > 0} onChange={onChange} placeholder={gap.example} />
      <div id={`${id}-help`} aria-live="polite">{found.map((one) => <p key={one.sentence} className={`fl-found is-${one.severity}`}>{one.sentence}</p>)}</div>
    </div>
  );
}

/** Left from another template, which makes this one be refused, or what a quick reply brings back. */
function Surplus({ rows, onRemove }) {
  const { mayEdit } = useContext(Filling);
  return (
    <p className="fl-found is-warning" role="note">
      {`This template does not ask for ${rows.map((one) => `“${one.name}”`).join(", ")}.`} {mayEdit && <button type="button" className="fl-link" onClick={onRemove}>Remove</button>}
    </p>
  );
}

function PairValue({ at, given, onChange }) {
  const id = useId();
  return (
    <div className="fl-pair-value">
      <label className="fl-unseen" htmlFor={id}>{`Value ${at + 1}`}</label>
      <Text id={id} schema={{}} value={given} title={`value ${at + 1}`} onChange={onChange} placeholder="Value" />
    </div>
  );
}

const CONTROLS = {
  text: Text, template_values: TemplateValues, multiline: Multiline, choice: Choice, time_zone: TimeZone, words: Words, choices: Words, cron: Cron, time: Time, contact_field: OneOfOurs, name: Name, figure: Figure, json: Json, code: Json, select: Select, switch: Switch, rows: Rows, listed: Listed, pairs: Pairs, group: Group, variant: Variant, media: Media,
  secret: OneOfOurs, template: OneOfOurs, workflow: OneOfOurs, connection: OneOfOurs, agent: OneOfOurs, knowledge: OneOfOurs, label: OneOfOurs, member: OneOfOurs, number: OneOfOurs, tag: OneOfOurs,
};
