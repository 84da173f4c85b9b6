// What a setting may refer to: what every run knows, what the steps before give, and what the last run really had.
import { useEffect, useMemo, useRef, useState } from "react";
import { nameOf } from "./signs.jsx";

const ALWAYS = [
  ["Contact", "contact", { name: "", phone: "", email: "", language: "", country: "", tags: "", id: "" }],
  ["Message", "message", { text: "", choice_title: "", choice_id: "", type: "", referral: "", media_id: "" }],
  ["Conversation", "conversation", { id: "", status: "", assignee: "", labels: "" }],
  ["Number", "number", { name: "", phone: "", id: "" }],
  ["Trigger", "trigger", { kind: "", at: "" }],
  ["Workspace", "workspace", { name: "" }],
];
const MOST_DEPTH = 5;
const MOST_PATHS = 60;

/** Every path into a value, parents first: `order`, `order.id`, `items[0].price`. */
function pathsOf(value, prefix, depth = 0) {
  if (value === null || typeof value !== "object" || depth >= MOST_DEPTH) return [[prefix, value]];
  const own = depth ? [[prefix, value]] : [];
  const inside = Array.isArray(value)
    ? (value.length ? pathsOf(value[0], `${prefix}[0]`, depth + 1) : [])
    : Object.entries(value).flatMap(([key, one]) => pathsOf(one, /^[A-Za-z_][\w-]*$/.test(key) ? `${prefix}.${key}` : `${prefix}["${key}"]`, depth + 1));
  return [...own, ...inside].slice(0, MOST_PATHS);
}

export function sampleInWords(value) {
  if (value === undefined || value === "") return "";
  if (value === null) return "nothing";
  if (Array.isArray(value)) return `${value.length} ${value.length === 1 ? "item" : "items"}`;
  if (typeof value === "object") return `${Object.keys(value).length} fields`;
  return String(value).slice(0, 60);
}

/** The nodes from which the run can come to this one, nearest first. */
function before(nodeId, edges) {
  const found = [];
  const seen = new Set([nodeId]);
  let here = [nodeId];
  while (here.length) {
    const earlier = edges.filter((edge) => here.includes(edge.target)).map((edge) => edge.source);
    here = [...new Set(earlier)].filter((id) => !seen.has(id));
    here.forEach((id) => seen.add(id));
    found.push(...here);
  }
  return found;
}

function group(words, root, known, sample) {
  const merged = sample && typeof sample === "object" && !Array.isArray(sample) ? { ...known, ...sample } : sample ?? known;
  return pathsOf(merged, root).map(([path, value]) => ({ group: words, path, sample: value }));
}

export function variablesFor(nodeId, graph, kinds, samples) {
  const names = samples?.names || {};
  const outputs = samples?.nodes || {};
  const isHook = graph.nodes.some((node) => node.kind === "trigger.webhook");
  const isLooped = graph.nodes.some((node) => node.kind === "logic.loop");
  const listed = new Set(ALWAYS.map(([, root]) => root));
  const earlier = before(nodeId, graph.edges).map((id) => graph.nodes.find((node) => node.id === id)).filter(Boolean);
  const all = [
    ...earlier.filter((node) => !kinds[node.kind]?.is_trigger && !kinds[node.kind]?.is_equipment)
      .flatMap((node) => group(`After “${nameOf(node, kinds)}”`, `nodes.${node.id}.output`, outputs[node.id] === undefined ? "" : undefined, outputs[node.id])),
    ...earlier.flatMap((node) => givenNames(node)).map((path) => ({ group: "Named in this workflow", path, sample: lookUp(names, path) })),
    ...ALWAYS.flatMap(([words, root, known]) => group(words, root, known, names[root])),
    ...(isHook || names.webhookPayload ? group("Webhook", "webhookPayload", { body: "", query: "", headers: "" }, names.webhookPayload) : []),
    ...(isLooped ? group("Inside a loop", "item", "", names.item).concat([{ group: "Inside a loop", path: "index", sample: names.index }]) : []),
    ...Object.entries(names).filter(([name]) => !listed.has(name) && !["webhookPayload", "item", "index", "nodes", "now", "user"].includes(name))
      .flatMap(([name, value]) => group(name === "vars" ? "Variables" : name === "input" ? "Input" : "Named by a step", name, {}, value)),
    { group: "Time", path: "now", sample: names.now },
  ];
  const seen = new Set();
  return all.filter((one) => !seen.has(one.path) && seen.add(one.path));
}

const lookUp = (names, path) => path.split(".").reduce((value, key) => value?.[key], names);

/** The names under which a node's settings put its result. */
function givenNames(node) {
  const config = node.config || {};
  const named = ["save_as", "name_as", "store_as", "result_name", "variable"].map((key) => config[key]).filter((one) => typeof one === "string" && /^[\w.]+$/.test(one));
  const rows = node.kind === "logic.set" ? Object.values(config).find(Array.isArray) || [] : [];
  const set = rows.map((row) => row?.name || row?.key).filter((one) => typeof one === "string" && /^\w+$/.test(one)).map((one) => `vars.${one}`);
  return [...named.map((one) => (node.kind.startsWith("ask.") ? `vars.${one.replace(/^vars\./, "")}` : one)), ...set];
}

/** The list below a field. `onPick(path)`, `onClose()`; `typed` narrows it when it is what stands after `{{`. */
export function VariableList({ variables, typed, onPick, onClose, hasOwnSearch }) {
  const [search, setSearch] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef(null);
  const wanted = (hasOwnSearch ? search : typed).trim().toLowerCase();
  const shown = useMemo(() => variables.filter((one) => `${one.path} ${one.group}`.toLowerCase().includes(wanted)).slice(0, 80), [variables, wanted]);
  useEffect(() => setAt(0), [wanted]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const keys = (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) setAt((here) => (here + move + shown.length) % Math.max(shown.length, 1));
    else if ((event.key === "Enter" || event.key === "Tab") && shown[at]) onPick(shown[at].path);
    else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // While someone types in the field itself, its keys are heard there.
  useEffect(() => {
    if (hasOwnSearch) return undefined;
    const hear = (event) => keys(event);
    window.addEventListener("keydown", hear, true);
    return () => window.removeEventListener("keydown", hear, true);
  });
  let heading = "";
  return (
    <div className="fl-variables nowheel" onKeyDown={hasOwnSearch ? keys : undefined}>
      {hasOwnSearch && <input autoFocus className="fl-input" placeholder="Find a value" aria-label="Find a value" value={search} onChange={(event) => setSearch(event.target.value)} />}
      <div role="listbox" aria-label="Values to insert" ref={list} tabIndex={-1}>
        {shown.map((one, index) => {
          const isNew = one.group !== heading;
          heading = one.group;
          return (
            <div key={one.path} role="presentation">
              {isNew && <p className="fl-variables-group" role="presentation">{one.group}</p>}
              <button type="button" role="option" aria-selected={index === at} tabIndex={-1} className="fl-variable" onMouseDown={(event) => { event.preventDefault(); onPick(one.path); }} onMouseEnter={() => setAt(index)}>
                <code>{one.path}</code>
                <span>{sampleInWords(one.sample)}</span>
              </button>
            </div>
          );
        })}
        {shown.length === 0 && <p className="fl-variables-none">Nothing of that name. What a step gives appears here after a run.</p>}
      </div>
    </div>
  );
}
