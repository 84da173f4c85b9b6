// How kinds, ports and steps look: one place for their icons, colours and words.
import {
  AlarmClock, ArrowLeftRight, AtSign, BadgeCheck, Ban, Bell, BellOff, BookOpen, BookOpenCheck, Bookmark, Bot, Box, Braces, Brain, Calculator, Calendar, CalendarClock,
  CheckCheck, CircleStop, CircleUser, ClipboardCheck, ClipboardList, Clock, CloudDownload, Contact, CornerDownRight, Cpu, Database, ExternalLink, FileCheck, FileText, FileUp, FolderOpen, Form, GitBranch,
  GitFork, Globe, Hand, HandHelping, Hash, Headset, HardDrive, Hourglass, Image, Images, Key, LayoutTemplate, Library, List, ListChecks, ListTree, Mail,
  MapPin, MessageCircle, MessageCircleQuestion, MessageSquare, MessageSquareText, MousePointerClick, NotebookPen, OctagonX, Package,
  Paperclip, PenLine, Percent, Phone, Play, Reply, Repeat, Route, Search, Send, Settings2, ShoppingBag, Shuffle, Sheet, SmilePlus, Sparkles, Split, SquareMousePointer, StickyNote,
  Table, Tag, Tags, Timer, TimerOff, ToggleLeft, Type, UserCheck, UserPen, UserPlus, UserRoundCheck, UserRoundCog, UserRoundPen, UserRoundPlus, UserRoundSearch, UserSearch, Users, Variable, Wallet, Wand, WandSparkles, Webhook, Workflow, Wrench, Zap,
  CircleCheck, CircleX, CircleDashed, CirclePause, CircleQuestionMark, LoaderCircle, SkipForward, FlaskConical,
} from "lucide-react";

const DRAWN = {
  AlarmClock, ArrowLeftRight, AtSign, BadgeCheck, Ban, Bell, BellOff, BookOpen, BookOpenCheck, Bookmark, Bot, Box, Braces, Brain, Calculator, Calendar, CalendarClock,
  CheckCheck, CircleStop, CircleUser, ClipboardCheck, ClipboardList, Clock, CloudDownload, Contact, CornerDownRight, Cpu, Database, ExternalLink, FileCheck, FileText, FileUp, FolderOpen, Form, GitBranch,
  GitFork, Globe, Hand, HandHelping, Hash, Headset, HardDrive, Hourglass, Image, Images, Key, LayoutTemplate, Library, List, ListChecks, ListTree, Mail,
  MapPin, MessageCircle, MessageCircleQuestion, MessageSquare, MessageSquareText, MousePointerClick, NotebookPen, OctagonX, Package,
  Paperclip, PenLine, Percent, Phone, Play, Reply, Repeat, Route, Search, Send, Settings2, ShoppingBag, Shuffle, Sheet, SmilePlus, Sparkles, Split, SquareMousePointer, StickyNote,
  Table, Tag, Tags, Timer, TimerOff, ToggleLeft, Type, UserCheck, UserPen, UserPlus, UserRoundCheck, UserRoundCog, UserRoundPen, UserRoundPlus, UserRoundSearch, UserSearch, Users, Variable, Wallet, Wand, WandSparkles, Webhook, Workflow, Wrench, Zap,
};

/** `message-circle` as lucide draws it; a kind of a newer server than this page gets a box. */
export function KindIcon({ name, size = 18 }) {
  const drawn = (name || "").split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  const Drawn = DRAWN[drawn] || Box;
  return <Drawn size={size} aria-hidden="true" />;
}

const GROUP_TONES = { Triggers: "jade", Messages: "blue", Questions: "cyan", Logic: "violet", People: "orange", Data: "gray", Connections: "indigo", AI: "plum" };
export const toneOf = (group) => GROUP_TONES[group] || "gray";

/** Ports of one type have one colour; an error port is red whatever it carries. */
export function portClass(port) {
  if (port.name === "error") return "is-error";
  if (port.name === "timeout") return "is-timeout";
  return `is-${port.type || "flow"}`;
}

export const PORT_WORDS = { flow: "the run", model: "a model", tool: "tools", memory: "memory", knowledge: "knowledge" };

const STATUS = {
  done: ["Done", CircleCheck],
  failed: ["Failed", CircleX],
  waiting: ["Waiting", CirclePause],
  running: ["Running", LoaderCircle],
  unknown: ["Unknown: someone must choose", CircleQuestionMark],
  recorded: ["Recorded, not done", FlaskConical],
  skipped: ["Skipped", SkipForward],
};

export const statusWord = (status) => STATUS[status]?.[0] || status;

export function StatusSign({ status, size = 16 }) {
  const [words, Drawn] = STATUS[status] || [status, CircleDashed];
  return <span className={`fl-sign st-${status}`} role="img" aria-label={words} title={words}><Drawn size={size} /></span>;
}

export function duration(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

export const nameOf = (node, kinds) => node.name || kinds[node.kind]?.title || node.kind;

const flat = (text) => String(text).replace(/\s+/g, " ").trim();

/** The schema of one setting, with `$ref` and an optional `null` resolved. */
export function resolved(schema, root) {
  let here = schema || {};
  for (let turn = 0; turn < 8 && here.$ref; turn++) {
    const { $ref, ...beside } = here;
    const { title, description, ...shape } = root.$defs?.[$ref.split("/").pop()] || {}; // a class's own words are for programmers
    here = { ...shape, ...beside };
  }
  const others = (here.anyOf || []).filter((one) => one.type !== "null");
  if (here.anyOf && others.length === 1) {
    const { anyOf, ...beside } = here;
    return resolved({ ...others[0], ...beside, isOptional: true }, root);
  }
  if (here.allOf?.length === 1) return resolved({ ...here.allOf[0], ...here, allOf: undefined }, root);
  return here;
}

/** Values and words of a closed choice, or null where anything may be typed. */
export function optionsOf(schema) {
  const words = schema.labels || schema["x-labels"] || {};
  const values = schema.enum || schema.choices || (schema.const !== undefined ? [schema.const] : null);
  return values && values.map((value) => ({ value, words: words[value] || spoken(value) }));
}

export function spoken(value) {
  const text = String(value).replace(/_/g, " ");
  return /^[A-Z]+$/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

function valueInWords(value, schema, choices) {
  if (value === null || value === undefined || value === "" || value === false) return "";
  if (value === true) return schema.title || "";
  if (Array.isArray(value)) return value.length ? listInWords(value) : "";
  if (typeof value === "object") return "";
  const offered = choices?.[schema.widget]?.find((one) => one.value === value);
  if (offered) return offered.words;
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(String(value))) return "";
  return optionsOf(schema)?.find((one) => one.value === value)?.words || flat(value);
}

function listInWords(items) {
  const compared = (one) => one.compare && `${flat(one.value ?? "")} ${spoken(one.compare).toLowerCase()} ${flat(one.to ?? "")}`.trim();
  const named = items.map((one) => (typeof one === "object" && one ? one.title || compared(one) || one.name || one.label || one.key || one.when : one)).filter(Boolean);
  return named.length ? named.slice(0, 3).join(", ") + (named.length > 3 ? ` and ${named.length - 3} more` : "") : `${items.length} ${items.length === 1 ? "row" : "rows"}`;
}

/** One line of what a node is set to do. */
export function settingsInWords(node, kind, choices) {
  const properties = Object.entries(kind?.schema?.properties || {});
  const said = properties
    .filter(([, schema]) => resolved(schema, kind.schema).widget !== "secret")
    .map(([name, schema]) => valueInWords(node.config[name], resolved(schema, kind.schema), choices))
    .filter(Boolean);
  return said.slice(0, 2).join(" · ").slice(0, 140);
}

const PAGES = { settings: "Settings → Numbers" };

/** Where a finding is put right that no step's settings can put right. */
export function PutRight({ page, workspace }) {
  return <a className="fl-link" href={`/dashboard/${workspace}/${page}`} target="_blank" rel="noreferrer">{PAGES[page] || "Put it right"}</a>;
}
