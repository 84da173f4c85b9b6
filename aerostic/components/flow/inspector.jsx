// Beside the canvas: the settings of the chosen step, and what it did in the run that is shown.
import { Copy, Trash2, X } from "lucide-react";
import { SettingsForm } from "./form.jsx";
import { KindIcon, PutRight, StatusSign, duration, spoken, statusWord, toneOf } from "./signs.jsx";

const COLOURS = ["yellow", "green", "blue", "pink", "gray"];

export function Inspector(props) {
  const { node, kind, mayEdit, onCopy, onRemove, onClose } = props;
  const isNote = node.type === "note";
  return (
    <aside className={`fl-inspector tone-${toneOf(kind?.group)}`} aria-label={isNote ? "Note" : "Settings of the step"}>
      <header>
        <span className="fl-tile"><KindIcon name={isNote ? "sticky-note" : kind?.icon} /></span>
        <strong>{isNote ? "Note" : kind?.title || node.data.kind}</strong>
        {mayEdit && <button type="button" className="fl-tool" aria-label="Duplicate" title="Duplicate (Ctrl D)" onClick={onCopy}><Copy size={15} /></button>}
        {mayEdit && <button type="button" className="fl-tool" aria-label="Remove" title="Remove (Delete)" onClick={onRemove}><Trash2 size={15} /></button>}
        <button type="button" className="fl-tool" aria-label="Close the settings" title="Close (Esc)" onClick={onClose}><X size={16} /></button>
      </header>
      {isNote ? <NoteForm {...props} /> : <StepForm {...props} />}
    </aside>
  );
}

function NoteForm({ node, mayEdit, onNote }) {
  return (
    <div className="fl-inspector-body" tabIndex={0} role="region" aria-label="The note">
      <div className="fl-field"><label htmlFor="note-text">Text</label><textarea id="note-text" className="fl-input" rows={6} maxLength={4000} disabled={!mayEdit} value={node.data.text || ""} onChange={(event) => onNote({ text: event.target.value })} /></div>
      <div className="fl-several" role="group" aria-label="Colour">
        {COLOURS.map((colour) => <button key={colour} type="button" className="fl-chip" aria-pressed={(node.data.colour || "yellow") === colour} disabled={!mayEdit} onClick={() => onNote({ colour })}>{spoken(colour)}</button>)}
      </div>
    </div>
  );
}

function StepForm(props) {
  const { workspace, node, kind, choices, variables, findings, mayEdit, tab, onTab, summary, onName, onConfig, onRetries } = props;
  const general = findings.filter((one) => !one.field || one.page);
  return (
    <>
      {summary && (
        <div className="fl-tabs" role="tablist" aria-label="What to show">
          <button type="button" role="tab" aria-selected={tab === "settings"} onClick={() => onTab("settings")}>Settings</button>
          <button type="button" role="tab" aria-selected={tab === "run"} onClick={() => onTab("run")}>In this run <StatusSign status={summary.status} size={13} /></button>
        </div>
      )}
      <div className="fl-inspector-body" tabIndex={0} role="region" aria-label={tab === "run" ? "What the step did" : "The settings"}>
        {tab === "run" ? <InRun {...props} /> : (
          <>
            <p className="fl-hint">{kind?.summary}</p>
            {general.map((one) => <p key={one.sentence} className={`fl-found is-${one.severity}`} role="note">{one.sentence} {one.page && <PutRight page={one.page} workspace={workspace} />}</p>)}
            <div className="fl-field"><label htmlFor="step-name">Name</label><input id="step-name" className="fl-input" maxLength={120} placeholder={kind?.title} disabled={!mayEdit} value={node.data.name || ""} onChange={(event) => onName(event.target.value)} /></div>
            {node.data.kind === "trigger.webhook" && <WebhookAddress />}
            {kind && <SettingsForm schema={kind.schema} config={node.data.config || {}} onChange={onConfig} choices={choices} variables={variables} findings={findings.filter((one) => !one.page)} mayEdit={mayEdit} workspace={workspace} />}
            {kind?.outputs.some((port) => port.name === "error") && (
              <div className="fl-field">
                <label htmlFor="step-retries">Tries again when it fails</label>
                <select id="step-retries" className="fl-input" disabled={!mayEdit} value={node.data.retries || 0} onChange={(event) => onRetries(Number(event.target.value))}>
                  {[0, 1, 2, 3, 4, 5].map((count) => <option key={count} value={count}>{count === 0 ? "Never" : count === 1 ? "Once" : `${count} times`}</option>)}
                </select>
                <p className="fl-hint">Only after a failure that may pass, such as a server that was busy.</p>
              </div>
            )}
            <p className="fl-reference">What comes out, in later steps: <code>{`{{ nodes.${node.id}.output }}`}</code></p>
          </>
        )}
      </div>
    </>
  );
}

function WebhookAddress() {
  const address = `${window.location.origin}/automation/webhooks/${window.location.pathname.split("/").filter(Boolean).pop()}`;
  return (
    <div className="fl-field">
      <label htmlFor="webhook-address">Address to POST to</label>
      <div className="fl-pair"><input id="webhook-address" className="fl-input" readOnly value={address} onFocus={(event) => event.target.select()} /><button type="button" className="fl-button" onClick={() => navigator.clipboard?.writeText(address)}>Copy</button></div>
      <p className="fl-hint">It answers once this workflow is published and switched on.</p>
    </div>
  );
}

function InRun({ summary, run, step, node, onStep }) {
  const turns = (run?.steps || []).filter((one) => one.node === node.id);
  const number = step?.number ?? summary.number;
  const at = turns.findIndex((one) => one.number === number);
  return (
    <>
      {turns.length > 1 && (
        <div className="fl-turns">
          <button type="button" className="fl-button" disabled={at <= 0} onClick={() => onStep(turns[at - 1].number)}>Earlier</button>
          <span>{at + 1} of {turns.length}</span>
          <button type="button" className="fl-button" disabled={at >= turns.length - 1} onClick={() => onStep(turns[at + 1].number)}>Later</button>
        </div>
      )}
      {!step && <p className="fl-quiet">{turns.length ? "Reading…" : `${statusWord(summary.status)}. It has not ended yet.`}</p>}
      {step && (
        <>
          <p className="fl-outcome"><StatusSign status={step.status} /> {statusWord(step.status)} <span>{duration(step.ms)}</span>{step.tries > 1 && <span>{step.tries} tries</span>}{turns[at]?.way && <span>went on through “{turns[at].way}”</span>}</p>
          {step.error && <p className="fl-found is-error" role="note">{step.error}</p>}
          {(step.warnings || []).map((one) => <p key={one} className="fl-found is-warning" role="note">{one}</p>)}
          <Value title="What it was set to do" value={step.input} />
          <Value title="What came out" value={step.output} isCut={step.truncated} />
        </>
      )}
    </>
  );
}

function Value({ title, value, isCut }) {
  const isNothing = value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0);
  return (
    <section className="fl-value" aria-label={title}>
      <h4>{title}</h4>
      {isNothing ? <p className="fl-quiet">Nothing.</p> : <pre tabIndex={0}>{typeof value === "string" ? value : JSON.stringify(value, null, 2)}</pre>}
      {isCut && <p className="fl-hint">It was longer: only the beginning is kept.</p>}
    </section>
  );
}
