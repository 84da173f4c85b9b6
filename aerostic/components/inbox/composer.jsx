import { useEffect, useMemo, useRef, useState } from "react";
import { ButtonsForm, ContactForm, ListForm, LocationForm, TemplateForm } from "./composer_forms.jsx";
import { upload } from "./upload.js";
import "./inbox.css";

const EMOJI = ["😀", "😊", "😂", "😍", "🙂", "😉", "😢", "😮", "👍", "👏", "🙏", "💪", "🎉", "❤️", "🔥", "⭐", "✅", "❌", "⚠️", "📦", "🚚", "🕐", "📍", "📞", "☕", "🍰", "🍕", "🎁", "💳", "🧾", "👋", "🤝"];
const drafts = new Map(); // what was typed and not sent, by conversation, for as long as the page is open

function remaining(until, now) {
  const minutes = Math.floor((new Date(until) - now) / 60_000);
  if (minutes < 1) return "less than a minute";
  const hours = Math.floor(minutes / 60);
  return hours ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

function isWide() {
  return window.matchMedia("(min-width: 900px)").matches;
}

function useNow() {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 15_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function Window({ closesAt, now }) {
  if (!closesAt || new Date(closesAt) <= now) return <span className="cp-window is-closed">Only templates may be sent now</span>;
  const short = new Date(closesAt) - now < 3_600_000;
  return <span className={"cp-window" + (short ? " is-short" : "")} title={`WhatsApp allows free replies until ${new Date(closesAt).toLocaleString()}`}>Free replies for {remaining(closesAt, now)}</span>;
}

function kindOf(file) {
  const type = file.type.split("/")[0];
  if (file.type === "image/jpeg" || file.type === "image/png") return "image";
  if (file.type === "image/webp") return "sticker";
  if (file.type === "video/mp4" || file.type === "video/3gpp") return "video";
  return type === "audio" ? "audio" : "document";
}

function Suggestions({ options, at, onTake }) {
  return (
    <div className="cp-pop" role="listbox" aria-label="Ready answers">
      {options.map((one, index) => (
        <button key={one.id} role="option" aria-selected={index === at} onMouseDown={(event) => { event.preventDefault(); onTake(one); }}>/{one.shortcut}<small>{one.text}</small></button>
      ))}
    </div>
  );
}

function Plus() {
  return <svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" aria-hidden="true"><path d="M10 4v12M4 10h12" /></svg>;
}

function Smile() {
  return <svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" aria-hidden="true"><circle cx="10" cy="10" r="7.2" /><path d="M7 12c.8 1 1.8 1.5 3 1.5s2.200-.5 3-1.500M7.500 8v.2M12.500 8v.2" /></svg>;
}

export function Composer({ conversationId, workspace, windowClosesAt, problem, canned, templates, replyTo, returned, onSend, onNote, onMedia, onStructured, onTemplate, onTyping, onCancelReply, onCanned, onOpenTemplates }) {
  const now = useNow();
  const [text, setText] = useState("");
  const [mode, setMode] = useState("reply");
  const [open, setOpen] = useState(""); // "", emoji, attach, or the name of a form
  const [state, setState] = useState("");
  const [chosen, setChosen] = useState(0);
  const box = useRef(null);
  const file = useRef(null);
  const typedAt = useRef(0);
  const shown = useRef(conversationId);
  const closed = !windowClosesAt || new Date(windowClosesAt) <= now;
  const writes = mode === "note" || (!closed && !problem);

  useEffect(() => {
    shown.current = conversationId;
    setText(drafts.get(conversationId) ?? "");
    setOpen("");
    setState("");
    setMode("reply");
    if (isWide()) box.current?.focus();
  }, [conversationId]);
  useEffect(() => { // a ready answer was filled, or a refused message comes back, so that nothing typed is lost
    if (returned?.text) giveBack(returned.conversation_id || conversationId, returned.text, returned.replaces);
  }, [returned?.key]);
  useEffect(() => { if (replyTo?.id) { setMode("reply"); box.current?.focus(); } }, [replyTo?.id]);
  useEffect(() => {
    const area = box.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, 180)}px`;
  }, [text, mode]);

  const options = useMemo(() => {
    if (mode !== "reply" || !text.startsWith("/") || text.includes("\n")) return [];
    const sought = text.slice(1).toLowerCase();
    return canned.filter((one) => one.shortcut.toLowerCase().startsWith(sought) || (sought.length > 1 && one.text.toLowerCase().includes(sought))).slice(0, 8);
  }, [text, canned, mode]);

  const change = (next) => {
    const value = typeof next === "function" ? next(text) : next;
    setText(value);
    setChosen(0);
    drafts.set(conversationId, value);
    if (mode === "reply" && value && Date.now() - typedAt.current > 8_000) {
      typedAt.current = Date.now();
      onTyping?.();
    }
  };
  const giveBack = (id, back, replaces = false) => { // the text of a conversation that is no longer open waits there
    if (!back || (drafts.get(id) && !replaces)) return;
    if (id === shown.current) change(back);
    else drafts.set(id, back);
  };
  const sent = () => window.dispatchEvent(new Event("inbox:sent"));
  const clear = () => { setText(""); drafts.delete(conversationId); typedAt.current = 0; };
  const take = (one) => { onCanned?.(one.id, crypto.randomUUID()); box.current?.focus(); };
  const send = () => {
    const body = text.trim();
    if (!body || !writes) return;
    if (mode === "note") onNote?.({ conversation_id: conversationId, text: body, key: crypto.randomUUID() });
    else onSend?.({ conversation_id: conversationId, text: body, key: crypto.randomUUID(), reply_to: replyTo?.id ?? "" });
    clear();
    sent();
  };
  const keys = (event) => {
    if (options.length) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        setChosen((chosen + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length);
        return;
      }
      if ((event.key === "Enter" || event.key === "Tab") && !event.isComposing) {
        event.preventDefault();
        take(options[chosen]);
        return;
      }
    }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
    if (event.key === "Escape") {
      if (open) setOpen("");
      else if (replyTo?.id) onCancelReply?.();
      else if (text.startsWith("/")) clear();
      else return;
      event.stopPropagation();
    }
  };
  const attach = async (picked) => {
    if (!picked) return;
    // An upload takes a while: what was chosen here goes here, whichever conversation is open by then.
    const written = { conversation_id: conversationId, caption: text.trim(), reply_to: replyTo?.id ?? "" };
    setState(`Uploading ${picked.name} …`);
    clear();
    try {
      const media = await upload(picked, workspace);
      onMedia?.({ ...written, media_id: media.id, kind: kindOf(picked), file_name: picked.name, key: crypto.randomUUID() });
      setState("");
      if (shown.current === written.conversation_id) sent();
    } catch (error) {
      giveBack(written.conversation_id, written.caption);
      setState(`${picked.name} was not sent. ${error.message}`);
    }
    file.current.value = "";
  };
  const structured = (draft) => { onStructured?.({ ...draft, conversation_id: conversationId, key: crypto.randomUUID() }); setOpen(""); sent(); };
  const pickTemplate = () => { onOpenTemplates?.(); setOpen("template"); };

  return (
    <section className={"cp" + (mode === "note" ? " is-note" : "")} aria-label="Write a message">
      <div className="cp-top">
        <div role="tablist" aria-label="Kind of message">
          <button role="tab" className="cp-tab" aria-selected={mode === "reply"} onClick={() => setMode("reply")}>Reply</button>
          <button role="tab" className="cp-tab" aria-selected={mode === "note"} onClick={() => setMode("note")}>Private note</button>
        </div>
        <Window closesAt={windowClosesAt} now={now} />
      </div>
      {replyTo?.id && mode === "reply" && (
        <div className="cp-reply"><div><b>{replyTo.author}</b><span>{replyTo.preview}</span></div><button className="cp-icon" aria-label="Do not reply to this message" onClick={() => onCancelReply?.()}>×</button></div>
      )}
      {writes ? (
        <div className="cp-box">
          {mode === "reply" && <>
            <button className="cp-icon" aria-label="Attach" aria-expanded={open === "attach"} onClick={() => setOpen(open === "attach" ? "" : "attach")}><Plus /></button>
            <button className="cp-icon" aria-label="Emoji" aria-expanded={open === "emoji"} onClick={() => setOpen(open === "emoji" ? "" : "emoji")}><Smile /></button>
          </>}
          <textarea className="cp-input" ref={box} rows={1} value={text} maxLength={4096} onChange={(event) => change(event.target.value)} onKeyDown={keys}
            aria-label={mode === "note" ? "Private note" : "Message"} placeholder={mode === "note" ? "Only your team sees this" : isWide() ? "Write a message, or / for a ready answer" : "Message"} />
          <button className="cp-send" disabled={!text.trim()} onClick={send}>{mode === "note" ? "Save" : "Send"}</button>
        </div>
      ) : (
        <div className="cp-closed">
          <p>{problem || "The customer last wrote more than 24 hours ago. WhatsApp allows an approved template now; free replies open again when the customer writes."}</p>
          {!problem && <button className="cp-send" onClick={pickTemplate}>Choose a template</button>}
        </div>
      )}
      {state && <div className={"cp-state" + (state.startsWith("Uploading") ? "" : " is-bad")} role="status">{state}</div>}
      {options.length > 0 && <Suggestions options={options} at={chosen} onTake={take} />}
      {open === "emoji" && <div className="cp-pop cp-emoji" aria-label="Emoji">{EMOJI.map((one) => <button key={one} onClick={() => { change(text + one); box.current?.focus(); }}>{one}</button>)}</div>}
      {open === "attach" && (
        <div className="cp-pop" aria-label="Attach">
          <button onClick={() => { setOpen(""); file.current.click(); }}>📎 Photo, video, recording or document</button>
          <button onClick={() => setOpen("location")}>📍 Location</button>
          <button onClick={() => setOpen("contact")}>👤 Contact</button>
          <button onClick={() => setOpen("buttons")}>🔘 Question with buttons</button>
          <button onClick={() => setOpen("list")}>☰ Question with a list</button>
          <button onClick={pickTemplate}>🧾 Template</button>
        </div>
      )}
      <input type="file" ref={file} hidden aria-label="File to send" onChange={(event) => attach(event.target.files[0])} />
      {open === "location" && <LocationForm onDone={structured} onClose={() => setOpen("")} />}
      {open === "contact" && <ContactForm onDone={structured} onClose={() => setOpen("")} />}
      {open === "buttons" && <ButtonsForm onDone={structured} onClose={() => setOpen("")} />}
      {open === "list" && <ListForm onDone={structured} onClose={() => setOpen("")} />}
      {open === "template" && <TemplateForm templates={templates} workspace={workspace} onClose={() => setOpen("")} onDone={(draft) => { onTemplate?.({ ...draft, conversation_id: conversationId, key: crypto.randomUUID() }); setOpen(""); sent(); }} />}
    </section>
  );
}
