import { useEffect, useRef } from "react";
import "./inbox.css";

const COLOURS = ["#1b7f5c", "#2f6fb5", "#8a4fb0", "#b3541e", "#a8324a", "#4d6b2f", "#35638f", "#7a5c1e"];

function initials(name) {
  const words = name.replace(/[^\p{L}\p{N} ]/gu, "").split(" ").filter(Boolean);
  return ((words[0]?.[0] ?? "?") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

function colourOf(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return COLOURS[sum % COLOURS.length];
}

export function whenShort(iso, now = new Date()) {
  const at = new Date(iso);
  const days = Math.round((startOfDay(now) - startOfDay(at)) / 86_400_000);
  if (days <= 0) return at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (days === 1) return "Yesterday";
  if (days < 7) return at.toLocaleDateString([], { weekday: "short" });
  return at.toLocaleDateString([], { day: "numeric", month: "short", year: at.getFullYear() === now.getFullYear() ? undefined : "numeric" });
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
}

const TICK_WORDS = { waiting: "Waiting to be sent", sent: "Sent", delivered: "Delivered", read: "Read", failed: "Not delivered", unknown: "Perhaps sent", cancelled: "Cancelled" };

export function Ticks({ state }) {
  if (!TICK_WORDS[state]) return null;
  const colour = { read: "var(--blue-10)", failed: "var(--red-10)", unknown: "var(--amber-10)" }[state] ?? "currentColor";
  return (
    <svg className="ib-tick" viewBox="0 0 17 11" fill="none" stroke={colour} strokeWidth="1.6" role="img" aria-label={TICK_WORDS[state]}>
      {state === "waiting" && <><circle cx="8.5" cy="5.5" r="4.4" /><path d="M8.5 3v2.7l1.8 1" /></>}
      {state === "sent" && <path d="M4 6l3 3 6-7" />}
      {(state === "delivered" || state === "read") && <path d="M1 6l3 3 6-7M7.5 8.2l1 .8 6-7" />}
      {(state === "failed" || state === "unknown" || state === "cancelled") && <><circle cx="8.5" cy="5.5" r="4.6" /><path d={state === "cancelled" ? "M5.5 5.5h6" : "M8.5 2.8v3.4M8.5 7.6v.6"} /></>}
    </svg>
  );
}

function Row({ row, chosen, onChoose, onMove }) {
  const keys = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      onMove(event.currentTarget, event.key === "ArrowDown" ? 1 : -1);
    }
  };
  return (
    <li>
      <button className={"ib-row" + (row.unread_count ? " is-unread" : "")} aria-current={chosen} data-conversation={row.id} onClick={() => onChoose(row.id)} onKeyDown={keys}>
        <span className="ib-avatar" style={{ background: colourOf(row.contact_id) }} aria-hidden="true">{initials(row.contact_name)}</span>
        <span className="ib-name">{row.contact_name}</span>
        <time className="ib-when" dateTime={row.last_message_at}>{whenShort(row.last_message_at)}</time>
        <span className="ib-preview">{row.preview_is_ours && <Ticks state={row.ticks} />}<span>{row.preview}</span></span>
        {row.unread_count > 0 && <span className="ib-unread" aria-label={`${row.unread_count} unread`}>{row.unread_count > 99 ? "99+" : row.unread_count}</span>}
        {(row.labels.length > 0 || row.assignee_name) && (
          <span className="ib-marks">
            {row.assignee_name && <span className="ib-mark">{row.assignee_name}</span>}
            {row.labels.map((label) => <span key={label.id} className="ib-mark" style={{ background: `var(--${label.colour}-4)`, color: `var(--${label.colour}-11)` }}>{label.name}</span>)}
          </span>
        )}
      </button>
    </li>
  );
}

export function ConversationList({ rows, selected, hasMore, tooMany, onChoose, onMore }) {
  const list = useRef(null);
  const move = (from, step) => {
    const all = [...list.current.querySelectorAll(".ib-row")];
    const next = all[all.indexOf(from) + step];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  };
  const asked = useRef(0);
  const scrolled = () => {
    const box = list.current;
    if (hasMore && box.scrollHeight - box.scrollTop - box.clientHeight < 300 && asked.current !== rows.length) {
      asked.current = rows.length;
      onMore?.();
    }
  };
  useEffect(() => {
    const open = (event) => {
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "") || document.activeElement?.isContentEditable;
      if (typing || event.metaKey || event.ctrlKey || event.altKey) return;
      if (event.key === "j" || event.key === "k") {
        const all = [...list.current.querySelectorAll(".ib-row")];
        const at = all.findIndex((row) => row.getAttribute("aria-current") === "true");
        const next = all[at + (event.key === "j" ? 1 : -1)];
        if (next) { event.preventDefault(); next.click(); next.scrollIntoView({ block: "nearest" }); }
      }
    };
    window.addEventListener("keydown", open);
    return () => window.removeEventListener("keydown", open);
  }, []);
  return (
    <ul className="ib-list" ref={list} onScroll={scrolled} aria-label="Conversations">
      {rows.map((row) => <Row key={row.id} row={row} chosen={row.id === selected} onChoose={onChoose} onMove={move} />)}
      {hasMore && <li className="ib-end"><button onClick={() => onMore?.()}>Show more</button></li>}
      {tooMany && <li className="ib-end">There are more. Search or choose a filter to see older conversations.</li>}
    </ul>
  );
}
