// Above the canvas: undo and order on the left; on the right whether it is saved, what is wrong, test and publish.
import { useEffect, useRef, useState } from "react";
import { AlignCenterHorizontal, AlignCenterVertical, AlignHorizontalSpaceAround, AlignStartHorizontal, AlignStartVertical, AlignVerticalSpaceAround, CircleCheck, CircleQuestionMark, FlaskConical, LayoutDashboard, Maximize, Redo2, Rocket, StickyNote, TriangleAlert, Undo2 } from "lucide-react";
import { PutRight, nameOf } from "./signs.jsx";

function Tool({ icon: Drawn, label, keys, ...rest }) {
  return <button type="button" className="fl-tool" aria-label={label} title={keys ? `${label} (${keys})` : label} {...rest}><Drawn size={16} /></button>;
}

export function Toolbar({ act, depth, count, saved, findings, onChoose, graph, kinds, workspace, onTest, onPublish }) {
  return (
    <div className="fl-toolbar" role="toolbar" aria-label="Editing">
      <Tool icon={Undo2} label="Undo" keys="Ctrl Z" disabled={!depth.undo} onClick={act.undo} />
      <Tool icon={Redo2} label="Redo" keys="Ctrl Y" disabled={!depth.redo} onClick={act.redo} />
      <span className="fl-divider" />
      <Tool icon={LayoutDashboard} label="Tidy up" keys="T" onClick={act.tidy} />
      <Tool icon={Maximize} label="Show all of it" keys="F" onClick={act.fit} />
      <Tool icon={StickyNote} label="Add a note" keys="N" onClick={act.addNote} />
      {count > 1 && (
        <>
          <span className="fl-divider" />
          <Tool icon={AlignStartVertical} label="Align left" onClick={() => act.align("left")} />
          <Tool icon={AlignCenterVertical} label="Align centres" onClick={() => act.align("centre")} />
          <Tool icon={AlignStartHorizontal} label="Align tops" onClick={() => act.align("top")} />
          <Tool icon={AlignCenterHorizontal} label="Align middles" onClick={() => act.align("middle")} />
          {count > 2 && <Tool icon={AlignHorizontalSpaceAround} label="Space out across" onClick={() => act.align("spread-x")} />}
          {count > 2 && <Tool icon={AlignVerticalSpaceAround} label="Space out down" onClick={() => act.align("spread-y")} />}
          <span className="fl-quiet">{count} chosen</span>
        </>
      )}
      <span className="fl-space" />
      {saved}
      <Problems findings={findings} onChoose={onChoose} graph={graph} kinds={kinds} workspace={workspace} />
      <Tool icon={CircleQuestionMark} label="Keys and help" keys="?" onClick={act.help} />
      <button type="button" className="fl-button" onClick={onTest}><FlaskConical size={15} aria-hidden="true" /> Test</button>
      <button type="button" className="fl-button is-main" onClick={onPublish}><Rocket size={15} aria-hidden="true" /> Publish</button>
    </div>
  );
}

/** True at all times: what the server said it kept, or that it has not. */
export function Saved({ saved, seq, isKept, onSave }) {
  const [isSending, setSending] = useState(false);
  useEffect(() => setSending(false), [saved]);
  if (saved?.problem) return <span className="fl-saved is-wrong" role="status">Not saved <button type="button" className="fl-link" onClick={onSave}>Try again</button></span>;
  if (isKept || (saved?.seq ?? 0) >= seq) return <span className="fl-saved" role="status">{saved?.at ? `Saved at ${new Date(saved.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })}` : "Saved"}</span>;
  return <span className="fl-saved" role="status">{isSending ? "Saving…" : "Unsaved changes"} <button type="button" className="fl-link" onClick={() => { setSending(true); onSave(); }}>Save</button></span>;
}

function Problems({ findings, onChoose, graph, kinds, workspace }) {
  const [isOpen, setOpen] = useState(false);
  const errors = findings.filter((one) => one.severity === "error").length;
  const words = errors ? `${errors} ${errors === 1 ? "problem" : "problems"}` : findings.length ? `${findings.length} ${findings.length === 1 ? "remark" : "remarks"}` : "No problems";
  const name = (id) => nameOf(graph.nodes.find((node) => node.id === id) || { kind: "" }, kinds);
  return (
    <span className="fl-problems">
      <button type="button" className={`fl-button is-quiet ${errors ? "is-wrong" : ""}`} aria-expanded={isOpen} disabled={!findings.length} onClick={() => setOpen(!isOpen)}>
        {findings.length ? <TriangleAlert size={15} aria-hidden="true" /> : <CircleCheck size={15} aria-hidden="true" />} {words}
      </button>
      {isOpen && findings.length > 0 && (
        <div className="fl-drop" role="list" aria-label="What was found" onKeyDown={(event) => event.key === "Escape" && setOpen(false)}>
          {findings.map((one, at) => (
            <div role="listitem" key={at}>
              <button type="button" className={`fl-finding is-${one.severity}`} onClick={() => { setOpen(false); if (one.node_id) onChoose(one.node_id); }}>
                {one.node_id && <strong>{name(one.node_id)}</strong>}
                <span>{one.sentence}</span>
              </button>
              {one.page && <PutRight page={one.page} workspace={workspace} />}
            </div>
          ))}
        </div>
      )}
    </span>
  );
}

const KEYS = [
  ["Ctrl S", "Save now"], ["Ctrl Z · Ctrl Y", "Undo, redo"], ["Ctrl C · Ctrl X · Ctrl V", "Copy, cut, paste, also into another workflow"], ["Ctrl D", "Duplicate what is chosen"], ["Ctrl A", "Choose everything"],
  ["Delete", "Remove what is chosen"], ["Arrows", "Move what is chosen; with Shift further"], ["Shift and drag", "Choose several"], ["Ctrl and click", "Choose one more"], ["/", "Find a step to add"],
  ["T", "Tidy up"], ["N", "Add a note"], ["F", "Show all of it"], ["+ · −", "Zoom"], ["{{", "Insert a value, in any text"], ["Esc", "Choose nothing, close"], ["?", "This help"],
];

export function Help({ onClose }) {
  const box = useRef(null);
  useEffect(() => {
    box.current.showModal();
  }, []);
  return (
    <dialog ref={box} className="fl-help" aria-label="Keys" onClose={onClose} onClick={(event) => event.target === box.current && onClose()}>
      <h2>Keys</h2>
      <dl>{KEYS.map(([keys, words]) => <div key={keys}><dt>{keys}</dt><dd>{words}</dd></div>)}</dl>
      <p>Draw a connection from a dot on the right of one step to the left of another; let go over the empty canvas to add the next step there.</p>
      <button type="button" className="fl-button is-main" onClick={onClose}>Close</button>
    </dialog>
  );
}
