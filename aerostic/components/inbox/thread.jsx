import { Fragment, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Ticks } from "./conversation_list.jsx";
import "./inbox.css";

const REACTIONS = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
const EMOJI_ONLY = /^(\p{Extended_Pictographic}(\u200d\p{Extended_Pictographic}|\ufe0f|\p{Emoji_Modifier})*){1,3}$/u;

function timeOf(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function dayOf(iso) {
  const at = new Date(iso);
  const today = new Date();
  const days = Math.round((new Date(today.getFullYear(), today.getMonth(), today.getDate()) - new Date(at.getFullYear(), at.getMonth(), at.getDate())) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return at.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year: at.getFullYear() === today.getFullYear() ? undefined : "numeric" });
}

function sizeOf(bytes) {
  if (bytes >= 1_048_576) return `${(bytes / 1_048_576).toFixed(1)} MB`;
  return `${Math.max(1, Math.round(bytes / 1024))} KB`;
}

function Linked({ text }) {
  const parts = text.split(/(https?:\/\/[^\s<]+)/g);
  return parts.map((part, at) => at % 2 ? <a key={at} href={part} target="_blank" rel="noopener noreferrer nofollow">{part}</a> : <Fragment key={at}>{part}</Fragment>);
}

function Picture({ media, type }) {
  if (media.problem) return <div className="ib-card">{media.problem}</div>;
  if (!media.is_ready) return <div className="ib-card" role="status">Fetching the {type} …</div>;
  if (media.mime_type.startsWith("image/")) {
    return <a href={media.url} target="_blank" rel="noopener"><img className="ib-media" src={media.url} alt={media.file_name || (type === "sticker" ? "Sticker" : "Picture")} loading="lazy" /></a>;
  }
  if (media.mime_type.startsWith("video/")) return <video className="ib-media" src={media.url} controls preload="metadata" aria-label="Video" />;
  if (media.mime_type.startsWith("audio/")) return <audio className="ib-voice" src={media.url} controls preload="metadata" aria-label={media.is_voice ? "Voice note" : "Recording"} />;
  return (
    <a className="ib-file" href={media.url} download={media.file_name || true}>
      <span aria-hidden="true">📄</span><span>{media.file_name || "Document"}<small>{sizeOf(media.size)}</small></span>
    </a>
  );
}

function Body({ item }) {
  const { content } = item;
  if (item.revoked_at) return <div className="ib-small"><i>This message was removed.</i></div>;
  return (
    <>
      {content.is_forwarded && <div className="ib-small">↪ Forwarded</div>}
      {content.referral && <div className="ib-card"><b>{content.referral.headline || "From an advertisement"}</b><small>{content.referral.body}</small>{/^https?:/.test(content.referral.url) && <a href={content.referral.url} target="_blank" rel="noopener noreferrer">See where it came from</a>}</div>}
      {content.header && <div className="ib-head">{content.header}</div>}
      {item.media && <Picture media={item.media} type={item.type} />}
      {content.location && (
        <div className="ib-card">📍 <b>{content.location.name || "Location"}</b>{content.location.address && <small>{content.location.address}</small>}
          <a href={`https://www.openstreetmap.org/?mlat=${content.location.latitude}&mlon=${content.location.longitude}#map=16/${content.location.latitude}/${content.location.longitude}`} target="_blank" rel="noopener noreferrer">{content.location.latitude.toFixed(5)}, {content.location.longitude.toFixed(5)}</a>
        </div>
      )}
      {content.people.map((person, at) => (
        <div className="ib-card" key={at}>👤 <b>{person.name}</b>{person.organisation && <small>{person.organisation}</small>}{person.phones.map((phone) => <small key={phone}>{phone}</small>)}{person.emails.map((email) => <small key={email}>{email}</small>)}</div>
      ))}
      {content.order.length > 0 && <div className="ib-card"><b>Order</b>{content.order.map((line, at) => <small key={at}>{line.quantity} × {line.product} · {line.price} {line.currency}</small>)}</div>}
      {content.entries.length > 0 && <div className="ib-card">{content.entries.map(([name, value], at) => <small key={at}>{name}: <b>{value}</b></small>)}</div>}
      {content.chosen?.description && <div className="ib-small">{content.chosen.description}</div>}
      {item.text && !content.location && content.people.length === 0 && <div className={"ib-text" + (EMOJI_ONLY.test(item.text) ? " is-big" : "")}><Linked text={item.text} /></div>}
      {content.notice && <div className="ib-small"><i>{content.notice}</i></div>}
      {content.footer && <div className="ib-small">{content.footer}</div>}
      {(content.choices.length > 0 || content.list_button) && (
        <div className="ib-buttons">
          {content.choices.map((choice, at) => <span key={at}>{choice.title}</span>)}
          {content.list_button && <span>☰ {content.list_button}</span>}
        </div>
      )}
    </>
  );
}

function Problem({ item, onRetry, onGiveUp }) {
  if (item.ticks === "unknown") {
    return (
      <div className="ib-problem is-unknown" role="alert">
        We do not know whether this arrived: the connection broke while it was being sent.
        <div><button onClick={() => onRetry(item.id)}>Send again</button><button onClick={() => onGiveUp(item.id)}>Leave it</button></div>
      </div>
    );
  }
  if (!item.failure) return null;
  return (
    <div className="ib-problem" role="alert">
      {item.failure.reason} {item.failure.action}
      {item.can_retry && <div><button onClick={() => onRetry(item.id)}>Try again</button></div>}
    </div>
  );
}

const PATIENCE = 1500; // most messages leave sooner: a button that flashes by helps nobody

function Waiting({ item, onTakeBack }) {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), PATIENCE);
    return () => clearTimeout(timer);
  }, []);
  return isLong && <div className="ib-waiting">Waiting to be sent <button onClick={() => onTakeBack(item.id)}>Do not send</button></div>;
}

function Message({ item, starts, found, acts }) {
  const ours = item.is_ours;
  const classes = ["ib-msg", ours && "is-ours", starts && "starts", item.ticks === "failed" && "is-failed", found && "is-found"].filter(Boolean).join(" ");
  return (
    <article className={classes} id={`m-${item.id}`} data-message={item.id} data-ticks={item.ticks} aria-label={`${ours ? item.author_name || "We" : "Customer"} at ${timeOf(item.occurred_at)}`}>
      {!item.revoked_at && (
        <div className="ib-tools">
          <button aria-label="Reply to this message" title="Reply" onClick={() => acts.reply(item)}>↩</button>
          {item.meta_message_id && REACTIONS.slice(0, 4).map((emoji) => <button key={emoji} aria-label={`React with ${emoji}`} onClick={() => acts.react(item.id, emoji)}>{emoji}</button>)}
        </div>
      )}
      <div className="ib-bubble">
        {item.quoted && (
          <button className="ib-quote" onClick={() => acts.find(item.quoted.id)}>
            <b>{item.quoted.author_name || (item.quoted.is_ours ? "We" : "Customer")}</b><span>{item.quoted.preview}</span>
          </button>
        )}
        <Body item={item} />
        <div className="ib-foot">
          {ours && item.author_name && <span>{item.author_name}</span>}
          {item.edited_at && <span>edited</span>}
          <time dateTime={item.occurred_at}>{timeOf(item.occurred_at)}</time>
          {ours && <Ticks state={item.ticks} />}
        </div>
      </div>
      {item.reactions.length > 0 && (
        <div className="ib-reactions">
          {item.reactions.map((one) => one.is_mine
            ? <button key={one.emoji} className="is-mine" title={one.by.join(", ")} aria-label={`Take back ${one.emoji}`} onClick={() => acts.react(item.id, "")}>{one.emoji}</button>
            : <span key={one.emoji} title={one.by.join(", ")}>{one.emoji}{one.by.length > 1 ? ` ${one.by.length}` : ""}</span>)}
        </div>
      )}
      {item.status === "queued" && <Waiting item={item} onTakeBack={acts.takeBack} />}
      <Problem item={item} onRetry={acts.retry} onGiveUp={acts.giveUp} />
    </article>
  );
}

function Line({ item }) {
  if (item.kind === "note") return <div className="ib-note" role="note"><b>🔒 {item.actor_name} · {timeOf(item.occurred_at)} · only your team sees this</b><Note text={item.text} mentions={item.mentions ?? []} /></div>;
  return <div className="ib-event">{item.text} · {timeOf(item.occurred_at)}</div>;
}

function Note({ text, mentions }) {
  const names = mentions.map((one) => `@${one.name}`);
  if (!names.length) return text;
  const either = new RegExp(`(${names.map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`);
  return text.split(either).map((part, index) => names.includes(part) ? <b className="ib-mention" key={index}>{part}</b> : part);
}

export function Thread({ items, conversationId, hasOlder, hasNewer, foundId, onOlder, onNewest, onReply, onReact, onRetry, onGiveUp, onTakeBack, onSeen, onClose }) {
  const box = useRef(null);
  const near = useRef(true);
  const height = useRef(0);
  const first = useRef("");
  const opened = useRef("");
  const [unseen, setUnseen] = useState(0);
  const newest = items.at(-1)?.id ?? "";
  const oldest = items[0]?.id ?? "";

  useLayoutEffect(() => {
    const scroll = box.current;
    if (!scroll) return;
    if (opened.current !== conversationId) {
      opened.current = conversationId;
      near.current = true;
      setUnseen(0);
      scroll.scrollTop = scroll.scrollHeight;
    } else if (first.current !== oldest && height.current && scroll.scrollTop < 400) {
      scroll.scrollTop += scroll.scrollHeight - height.current; // what was in view stays in view
    } else if (near.current) {
      scroll.scrollTop = scroll.scrollHeight;
    }
    first.current = oldest;
    height.current = scroll.scrollHeight;
  }, [conversationId, oldest, items]);

  useEffect(() => {
    if (!near.current && newest) setUnseen((count) => count + 1);
  }, [newest]);

  useEffect(() => { // who has just written something wants to see it
    const follow = () => {
      near.current = true;
      setUnseen(0);
      box.current.scrollTop = box.current.scrollHeight;
    };
    window.addEventListener("inbox:sent", follow);
    return () => window.removeEventListener("inbox:sent", follow);
  }, []);

  useEffect(() => { // read only what a person has before their eyes
    const look = () => { if (document.visibilityState === "visible" && newest) onSeen?.(); };
    look();
    const again = setInterval(look, 15_000); // colleagues see that someone is here
    document.addEventListener("visibilitychange", look);
    return () => { clearInterval(again); document.removeEventListener("visibilitychange", look); };
  }, [conversationId, newest]);

  useEffect(() => {
    const escape = (event) => { if (event.key === "Escape" && !document.querySelector("dialog[open], [role=dialog], [role=menu], [role=listbox]:not(.ib-list)")) onClose?.(); };
    window.addEventListener("keydown", escape);
    return () => window.removeEventListener("keydown", escape);
  }, []);

  useEffect(() => {
    if (foundId) document.getElementById(`m-${foundId}`)?.scrollIntoView({ block: "center" });
  }, [foundId, oldest]);

  // Pictures that load late must not push the last message out of view.
  const settle = () => { if (near.current && box.current) box.current.scrollTop = box.current.scrollHeight; };
  const asked = useRef("");
  const scrolled = () => {
    const scroll = box.current;
    near.current = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
    if (near.current && unseen) setUnseen(0);
    if (hasOlder && scroll.scrollTop < 120 && asked.current !== oldest) {
      asked.current = oldest;
      onOlder?.();
    }
  };
  const down = () => {
    setUnseen(0);
    near.current = true;
    if (hasNewer) onNewest?.();
    box.current.scrollTo({ top: box.current.scrollHeight, behavior: "smooth" });
  };
  const acts = {
    reply: (item) => onReply?.({ id: item.id, author: item.is_ours ? item.author_name || "We" : "Customer", preview: item.text || item.type }),
    react: (id, emoji) => onReact?.(id, emoji),
    retry: (id) => onRetry?.(id),
    giveUp: (id) => onGiveUp?.(id),
    takeBack: (id) => onTakeBack?.(id),
    find: (id) => id && document.getElementById(`m-${id}`)?.scrollIntoView({ block: "center", behavior: "smooth" }),
  };
  let day = "";
  let before = null;
  return (
    <div className="ib-thread">
      <div className="ib-scroll" ref={box} onScroll={scrolled} onLoadCapture={settle} role="log" aria-label="Messages" aria-live="polite" tabIndex={0}>
        {hasOlder && <button className="ib-older" onClick={() => onOlder?.()}>Earlier messages</button>}
        {items.map((item) => {
          const today = dayOf(item.occurred_at);
          const breaks = today !== day;
          const isMessage = item.kind === undefined || item.kind === null;
          const starts = breaks || !before || before.kind || before.is_ours !== item.is_ours || before.author_id !== item.author_id;
          day = today;
          before = item;
          return (
            <Fragment key={item.id}>
              {breaks && <div className="ib-day">{today}</div>}
              {isMessage ? <Message item={item} starts={starts} found={item.id === foundId} acts={acts} /> : <Line item={item} />}
            </Fragment>
          );
        })}
      </div>
      {(unseen > 0 || hasNewer) && <button className="ib-newer" onClick={down}>{hasNewer ? "Back to the newest ↓" : "New messages ↓"}</button>}
    </div>
  );
}
