// Small signs of workflows outside of the canvas: what begins one, and a picture of what it does.
import { KindIcon, StatusSign, toneOf } from "./signs.jsx";
import "./flow.css";

/** The triggers of a workflow. */
export function Begins({ signs }) {
  return (
    <span className="fl-begins">
      {(signs || []).map((one) => <span key={one.title} className="fl-tile tone-jade" role="img" aria-label={one.title} title={one.title}><KindIcon name={one.icon} size={15} /></span>)}
      {!signs?.length && <span className="fl-tile tone-gray" role="img" aria-label="No trigger yet" title="No trigger yet"><KindIcon name="workflow" size={15} /></span>}
    </span>
  );
}

/** A workflow from afar: its steps as dots where they stand. */
export function Picture({ spots, lines, title }) {
  return (
    <span className="fl-picture" role="img" aria-label={`${title}: ${(spots || []).map((spot) => spot.title).join(", ")}`}>
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true"><path d={lines || ""} /></svg>
      {(spots || []).map((spot, at) => <span key={at} className={`fl-tile tone-${toneOf(spot.tone)}`} style={{ left: spot.left, top: spot.top }} title={spot.title}><KindIcon name={spot.icon} size={13} /></span>)}
    </span>
  );
}

export function Status({ status }) {
  return <StatusSign status={status} />;
}
