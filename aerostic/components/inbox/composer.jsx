import { useEffect, useMemo, useRef, useState } from "react";
import { ButtonsForm, ContactForm, ListForm, LocationForm, TemplateForm } from "./composer_forms.jsx";
import { Attachment, beingNamed, clock, kindOf, recordingType, Suggestions, useRecorder } from "./composer_parts.jsx";
import { upload } from "./upload.js";
import "./inbox.css";

const EMOJI = ["😀", "😊", "😂", "😍", "🙂", "😉", "😢", "😮", "👍", "👏", "🙏", "💪", "🎉", "❤️", "🔥", "⭐", "✅", "❌", "⚠️", "📦", "🚚", "🕐", "📍", "📞", "☕", "🍰", "🍕", "🎁", "💳", "🧾", "👋", "🤝"];
// What was typed or chosen and not sent, by conversation, for as long as the page is open.
const drafts = new Map();
const chosenFiles = new Map();

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

function Plus() {
  return <svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" aria-hidden="true"><path d="M10 4v12M4 10h12" /></svg>;
}

function Smile() {
  return <svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" aria-hidden="true"><circle cx="10" cy="10" r="7.2" /><path d="M7 12c.8 1 1.8 1.5 3 1.5s2.200-.5 3-1.500M7.500 8v.2M12.500 8v.2" /></svg>;
}

function Microphone() {
  return <svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" aria-hidden="true"><rect x="7.500" y="2.800" width="5" height="9" rx="2.500" /><path d="M4.800 9.500a5.200 5.200 0 0 0 10.400 0M10 14.800v2.600" /></svg>;
}

function Voice({ recorder }) {
  if (recorder.seconds < 0) return <button className="cp-icon" aria-label="Record a voice message" onClick={recorder.start}><Microphone /></button>;
  return (
    <span className="cp-recording" role="status">
      ● {clock(recorder.seconds)}
      <button className="cp-icon" aria-label="Discard the recording" onClick={() => recorder.stop(false)}>×</button>
      <button className="cp-icon" aria-label="Keep the recording" onClick={() => recorder.stop(true)}>✓</button>
    </span>
  );
}

export function Composer({ conversationId, workspace, windowClosesAt, problem, canned, colleagues, templates, replyTo, returned, onSend, onNote, onMedia, onStructured, onTemplate, onTyping, onCancelReply, onCanned, onOpenTemplates }) {
  const now = useNow();
  const [text, setText] = useState("");
  const [mode, setMode] = useState("reply");
  const [open, setOpen] = useState(""); // "", emoji, attach, or the name of a form
  const [state, setState] = useState("");
  const [chosen, setChosen] = useState(0);
  const [picked, setPicked] = useState(null); // the file that leaves with the next message
  const [caret, setCaret] = useState(0);
  const box = useRef(null);
  const file = useRef(null);
  const typedAt = useRef(0);
  const shown = useRef(conversationId);
  const closed = !windowClosesAt || new Date(windowClosesAt) <= now;
  const writes = mode === "note" || (!closed && !problem);

  useEffect(() => {
    shown.current = conversationId;
    setText(drafts.get(conversationId) ?? "");
    setPicked(chosenFiles.get(conversationId) ?? null);
    recorder.stop(false);
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

  const named = mode === "note" ? beingNamed(text, caret) : null;
  const options = useMemo(() => {
    if (named) return colleagues.filter((one) => one.name.toLowerCase().startsWith(named.sought)).slice(0, 8).map((one) => ({ id: one.user_id, title: `@${one.name}`, name: one.name }));
    if (mode !== "reply" || !text.startsWith("/") || text.includes("\n")) return [];
    const sought = text.slice(1).toLowerCase();
    const fitting = canned.filter((one) => one.shortcut.toLowerCase().startsWith(sought) || (sought.length > 1 && one.text.toLowerCase().includes(sought)));
    return fitting.slice(0, 8).map((one) => ({ id: one.id, title: `/${one.shortcut}`, text: one.text }));
  }, [text, caret, canned, colleagues, mode]);

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
  const take = (one) => {
    if (named) change(`${text.slice(0, named.from)}@${one.name} ${text.slice(caret)}`);
    else onCanned?.(one.id, crypto.randomUUID());
    box.current?.focus();
  };
  const mentioned = (body) => colleagues.filter((one) => body.includes(`@${one.name}`)).map((one) => one.user_id);
  const send = () => {
    const body = text.trim();
    if (!writes) return;
    if (picked && mode === "reply") return sendFile();
    if (!body) return;
    if (mode === "note") onNote?.({ conversation_id: conversationId, text: body, mentions: mentioned(body), key: crypto.randomUUID() });
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
  const choose = (one, id = conversationId) => {
    if (one) chosenFiles.set(id, one);
    else chosenFiles.delete(id);
    if (id !== shown.current) return;
    setPicked(one);
    setState("");
    box.current?.focus();
  };
  const recorder = useRecorder((one) => choose(one), setState);
  const offered = (event, files) => { // pasted or dropped
    if (mode !== "reply" || closed || problem || !files?.length) return;
    event.preventDefault();
    choose(files[0]);
  };
  const sendFile = async () => {
    // An upload takes a while: what was chosen here goes here, whichever conversation is open by then.
    const written = { conversation_id: conversationId, caption: text.trim(), reply_to: replyTo?.id ?? "" };
    clear();
    choose(null);
    setState(`Uploading ${picked.name} …`);
    try {
      const media = await upload(picked, workspace);
      onMedia?.({ ...written, media_id: media.id, kind: kindOf(picked), file_name: picked.name, key: crypto.randomUUID() });
      setState("");
      if (shown.current === written.conversation_id) sent();
    } catch (error) {
      giveBack(written.conversation_id, written.caption);
      choose(picked, written.conversation_id);
      setState(`${picked.name} was not sent. ${error.message}`);
    }
  };
  const structured = (draft) => { onStructured?.({ ...draft, conversation_id: conversationId, key: crypto.randomUUID() }); setOpen(""); sent(); };
  const pickTemplate = () => { onOpenTemplates?.(); setOpen("template"); };

  return (
    <section className={"cp" + (mode === "note" ? " is-note" : "")} aria-label="Write a message" onDragOver={(event) => event.preventDefault()} onDrop={(event) => offered(event, event.dataTransfer.files)}>
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
      {picked && mode === "reply" && <Attachment file={picked} onRemove={() => choose(null)} />}
      {writes ? (
        <div className="cp-box">
          {mode === "reply" && <>
            <button className="cp-icon" aria-label="Attach" aria-expanded={open === "attach"} onClick={() => setOpen(open === "attach" ? "" : "attach")}><Plus /></button>
            <button className="cp-icon" aria-label="Emoji" aria-expanded={open === "emoji"} onClick={() => setOpen(open === "emoji" ? "" : "emoji")}><Smile /></button>
          </>}
          <textarea className="cp-input" ref={box} rows={1} value={text} maxLength={4096} onChange={(event) => { setCaret(event.target.selectionStart); change(event.target.value); }} onKeyDown={keys}
            onPaste={(event) => offered(event, event.clipboardData.files)}
            aria-label={mode === "note" ? "Private note" : "Message"} placeholder={mode === "note" ? "Only your team sees this. @ calls on a colleague" : picked ? "Add a caption" : isWide() ? "Write a message, or / for a ready answer" : "Message"} />
          {mode === "reply" && !text.trim() && !picked && recordingType() && <Voice recorder={recorder} />}
          <button className="cp-send" disabled={!text.trim() && !(picked && mode === "reply")} onClick={send}>{mode === "note" ? "Save" : "Send"}</button>
        </div>
      ) : (
        <div className="cp-closed">
          <p>{problem || "The customer last wrote more than 24 hours ago. WhatsApp allows an approved template now; free replies open again when the customer writes."}</p>
          {!problem && <button className="cp-send" onClick={pickTemplate}>Choose a template</button>}
        </div>
      )}
      {state && <div className={"cp-state" + (state.startsWith("Uploading") ? "" : " is-bad")} role="status">{state}</div>}
      {options.length > 0 && <Suggestions label={named ? "Colleagues" : "Ready answers"} options={options} at={chosen} onTake={take} />}
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
      <input type="file" ref={file} hidden aria-label="File to send" onChange={(event) => { choose(event.target.files[0] ?? null); event.target.value = ""; }} />
      {open === "location" && <LocationForm onDone={structured} onClose={() => setOpen("")} />}
      {open === "contact" && <ContactForm onDone={structured} onClose={() => setOpen("")} />}
      {open === "buttons" && <ButtonsForm onDone={structured} onClose={() => setOpen("")} />}
      {open === "list" && <ListForm onDone={structured} onClose={() => setOpen("")} />}
      {open === "template" && <TemplateForm templates={templates} workspace={workspace} onClose={() => setOpen("")} onDone={(draft) => { onTemplate?.({ ...draft, conversation_id: conversationId, key: crypto.randomUUID() }); setOpen(""); sent(); }} />}
    </section>
  );
}
