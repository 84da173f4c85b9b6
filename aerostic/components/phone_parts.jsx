// What every part of the phone uses: its way to the simulator, icons, avatars, times.
import React from "react";

/** Calls the simulator's control door. Throws an Error whose message is the sentence that the door gave. */
export async function ask(base, method, path, body) {
  const isForm = body instanceof FormData;
  const answer = await fetch(`${base}/${path}`, {
    method,
    headers: body && !isForm ? { "content-type": "application/json" } : {},
    body: body ? (isForm ? body : JSON.stringify(body)) : undefined,
  });
  const text = await answer.text();
  let read = {};
  try {
    read = text ? JSON.parse(text) : {};
  } catch {
    read = {};
  }
  if (!answer.ok) {
    throw new Error(read.error || `The simulator answered with ${answer.status}. Is it running?`);
  }
  return read;
}

const STROKES = {
  back: "M15 5l-7 7 7 7",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5c1 1.3 2.2 2 3.5 2s2.5-.7 3.5-2M9 9.5v.5M15 9.5v.5",
  mic: "M12 15a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3zM5.5 12a6.5 6.5 0 0 0 13 0M12 18.5V21",
  send: "M4 12l16-8-6 16-3-7-7-1z",
  more: "M12 6v.01M12 12v.01M12 18v.01",
  reply: "M10 7L5 12l5 5M5 12h9a5 5 0 0 1 5 5v1",
  trash: "M5 7h14M10 7V5h4v2M7 7l1 13h8l1-13",
  edit: "M4 20h4L19 9l-4-4L4 16v4z",
  copy: "M9 9h10v10H9zM5 15V5h10",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9v.01",
  video: "M4 6h11v12H4zM15 11l5-3v8l-5-3",
  file: "M7 3h7l4 4v14H7zM14 3v4h4M10 13h5M10 17h5",
  pin: "M12 21s7-6.2 7-11a7 7 0 0 0-14 0c0 4.8 7 11 7 11zM12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c1-4 4-6 7.5-6s6.5 2 7.5 6",
  sticker: "M5 4h14v10l-6 6H5zM13 20v-6h6M9 9v.01M15 9v.01",
  bolt: "M13 3L5 14h6l-1 7 8-11h-6l1-7z",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
  check: "M5 12.5l4.5 4.5L19 7.5",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.5 4.5",
  down: "M6 9l6 6 6-6",
  list: "M8 6h12M8 12h12M8 18h12M4 6v.01M4 12v.01M4 18v.01",
  link: "M10 14l8-8M12 5h7v7M17 14v5H5V7h5",
  cart: "M4 5h2l2 10h9l2-7H7M9 19v.01M16 19v.01",
  off: "M4 4l16 16M6 10.5a9 9 0 0 1 3-2M12 7c3 0 5.5 1.5 7 3.5M9 14a4.5 4.5 0 0 1 3-1",
  warn: "M12 4l9 16H3l9-16zM12 10v4M12 17v.01",
  megaphone: "M4 10v4l11 4V6L4 10zM15 9a3 3 0 0 1 0 6M7 15l1 5h3l-1-4",
  signal: "M4 18v-3M9 18v-6M14 18V9M19 18V5",
};

export function Icon({ name, size = 22 }) {
  return (
    <svg className="phone-icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={STROKES[name]} fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

/** One tick while it travels, two when the business has it, two coloured ones when it was read. */
export function Ticks({ status }) {
  const words = { sent: "Sent", delivered: "Delivered", read: "Read" };
  return (
    <svg className={`phone-ticks is-${status}`} width="18" height="12" viewBox="0 0 18 12" role="img" aria-label={words[status] || "Sent"}>
      <path d="M1.5 6.5l3 3 6-7" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" />
      {status !== "sent" && (
        <path d="M7.5 8.5l1.3 1.2 6.5-7.2" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" />
      )}
    </svg>
  );
}

const HUES = ["tomato", "violet", "blue", "teal", "amber", "pink"];

export function Avatar({ name, size = 44 }) {
  const letters = name.replace(/^\+/, "").split(/\s+/).map((word) => word[0]).join("").slice(0, 2).toUpperCase();
  const hue = HUES[[...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % HUES.length];
  return (
    <span className={`phone-avatar is-${hue}`} style={{ width: size, height: size, fontSize: size * 0.38 }} aria-hidden="true">
      {letters}
    </span>
  );
}

export const timeOf = (at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export function dayOf(at, now) {
  const day = new Date(at * 1000);
  const days = Math.round((new Date(now * 1000).setHours(0, 0, 0, 0) - new Date(at * 1000).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return day.toLocaleDateString([], { weekday: "long" });
  return day.toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" });
}

/** One line that stands for a whole message: in lists of chats and above replies. */
export function inOneLine(message) {
  if (!message) return "Message";
  if (message.is_revoked) return "Deleted message";
  const content = message.content || {};
  const node = content[message.type] || {};
  const named = {
    text: () => node.body,
    image: () => `Photo${node.caption ? `: ${node.caption}` : ""}`,
    video: () => `Video${node.caption ? `: ${node.caption}` : ""}`,
    audio: () => "Voice message",
    document: () => node.filename || "Document",
    sticker: () => "Sticker",
    location: () => node.name || "Location",
    contacts: () => `Contact: ${node[0]?.name?.formatted_name || ""}`,
    template: () => content.seen?.body || "Template",
    interactive: () =>
      node.body?.text || node.button_reply?.title || node.list_reply?.title || (node.nfm_reply ? "Form sent" : "Message"),
    button: () => node.text,
    order: () => "Order",
    system: () => node.body,
  }[message.type];
  return (named && named()) || "Message";
}

/** Esc closes, focus moves in and comes back: what every sheet and menu owes to a keyboard. */
export function useSheet(onClose) {
  const box = React.useRef(null);
  const close = React.useRef(onClose);
  close.current = onClose;
  React.useEffect(() => {
    const before = document.activeElement;
    const inside = box.current?.querySelector("[data-first]") || box.current?.querySelector("button, input, select, textarea");
    inside?.focus();
    const onKey = (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        close.current();
      }
      if (event.key === "Tab") keepInside(event, box.current);
    };
    const here = box.current;
    here?.addEventListener("keydown", onKey);
    return () => {
      here?.removeEventListener("keydown", onKey);
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return box;
}

function keepInside(event, box) {
  const stops = [...box.querySelectorAll("button, input, select, textarea, a[href]")].filter((each) => !each.disabled && each.offsetParent);
  const first = stops[0];
  const last = stops[stops.length - 1];
  if (event.shiftKey && document.activeElement === first) {
    event.preventDefault();
    last?.focus();
  } else if (!event.shiftKey && document.activeElement === last) {
    event.preventDefault();
    first?.focus();
  }
}

export function Sheet({ label, onClose, children, tall = false }) {
  const box = useSheet(onClose);
  return (
    <div className="phone-veil" onMouseDown={(event) => event.target === event.currentTarget && onClose()}>
      <div className={`phone-sheet ${tall ? "is-tall" : ""}`} role="dialog" aria-modal="true" aria-label={label} ref={box}>
        <div className="phone-sheet-head">
          <h2>{label}</h2>
          <button type="button" className="phone-round" onClick={onClose} aria-label={`Close ${label}`}>
            <Icon name="close" size={20} />
          </button>
        </div>
        <div className="phone-sheet-body">{children}</div>
      </div>
    </div>
  );
}
