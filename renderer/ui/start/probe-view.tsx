import type { ReactElement } from "react";
import type { ProbeStep, ProbeVerdict } from "../../../p2p/api/way.ts";
import { adviceOn, doing, isWayIn, type ProbeModel, type ProbePhase } from "../../model/start/probe.ts";
import type { Sentence } from "../../model/sentence.ts";
import type { WayModel } from "../../model/start/way.ts";
import { Action, Problem, Sheet } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { useTexts, type Texts } from "../language.ts";
import { useValue } from "../parts/use-value.ts";

interface ProbeSheetProps {
  readonly probe: ProbeModel;
  readonly way: WayModel;
}

/** "Why can't I connect?": each way as it was tried, what it comes to, and what to do next. Closing it stops it. */
export function ProbeSheet({ probe, way }: ProbeSheetProps): ReactElement {
  const { text } = useTexts();
  const phase = useValue(probe.phase);
  return (
    <Sheet title={text("probe.title")} isOpen={phase !== undefined} onClose={() => probe.close()}>
      {phase !== undefined && <ProbeReport probe={probe} phase={phase} way={way} />}
    </Sheet>
  );
}

interface WhyButtonProps {
  readonly probe: ProbeModel;
  /** What went wrong: the button is there when looking may explain it. */
  readonly trouble: Sentence | undefined;
}

/** Beside what went wrong: looks why. */
export function WhyButton({ probe, trouble }: WhyButtonProps): ReactElement | null {
  const { text } = useTexts();
  if (!probe.explains(trouble)) return null;
  return <Action label={text("probe.title")} onPress={() => probe.start()} />;
}

function ProbeReport({ probe, phase, way }: ProbeSheetProps & { readonly phase: ProbePhase }): ReactElement {
  const { text, say } = useTexts();
  const steps = useValue(probe.steps);
  return (
    <div className="stack">
      <p className="soft">{text("probe.lead")}</p>
      {/* Each result is read aloud as it comes. */}
      <div role="log" aria-label={text("probe.tried")}>
        {steps.length > 0 && <ProbeSteps steps={steps} />}
      </div>
      <div role="status">
        <ProbeResult phase={phase} steps={steps} isInside={probe.isInside} />
      </div>
      <Problem>{phase.kind === "failed" ? say(phase.problem) : undefined}</Problem>
      <div className="row">
        {phase.kind === "running" ? (
          <Action icon="close" label={text("probe.stop")} onPress={() => probe.stop()} />
        ) : (
          <Action label={text("probe.again")} onPress={() => probe.again()} />
        )}
        <Action
          look="bare"
          icon="settings"
          label={text("way.title")}
          onPress={() => {
            probe.close();
            way.open();
          }}
        />
      </div>
    </div>
  );
}

function ProbeSteps({ steps }: { readonly steps: readonly ProbeStep[] }): ReactElement {
  const { text } = useTexts();
  return (
    <ol className="probe-steps">
      {steps.map((step) => (
        <li key={`${step.rung} ${step.relay} ${step.what}`} className="probe-step" data-ok={step.ok || undefined}>
          <Icon name={step.ok ? "check" : "close"} />
          <span>
            <span className="probe-what">
              {text(`probe.rung-${step.rung}`, { number: step.relay })}
              {step.rung === "relay" && (
                <bdi className="probe-place" dir="ltr">
                  {step.what}
                </bdi>
              )}
            </span>
            <span className="probe-found">{foundText(step, text)}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}

function foundText({ rung, failure }: ProbeStep, text: Texts["text"]): string {
  if (failure === undefined) return text(`probe.worked-${rung}`);
  // Who refuses UDP carries sound over the connection that is there.
  return text(rung === "webrtc" && failure === "refused" ? "probe.no-offer" : `probe.failed-${failure}`);
}

interface ProbeResultProps {
  readonly phase: ProbePhase;
  readonly steps: readonly ProbeStep[];
  readonly isInside: boolean;
}

/** In words at every moment: what is being done, what it came to, or that it was stopped. */
function ProbeResult({ phase, steps, isInside }: ProbeResultProps): ReactElement | null {
  const { text, say } = useTexts();
  switch (phase.kind) {
    case "running":
      return (
        <p className="probe-now">
          <span className="probe-dot" aria-hidden="true" />
          <span>{say(doing(steps))}</span>
        </p>
      );
    case "done":
      return <Explanation verdict={phase.verdict} isInside={isInside} />;
    case "stopped":
      return <p className="soft">{text("probe.stopped")}</p>;
    case "failed":
      return null;
    default:
      return phase satisfies never;
  }
}

function Explanation({
  verdict,
  isInside,
}: {
  readonly verdict: ProbeVerdict;
  readonly isInside: boolean;
}): ReactElement {
  const { text } = useTexts();
  return (
    <div className="probe-verdict" data-good={isWayIn(verdict) || undefined}>
      <p>
        <strong>{text(`probe.verdict-${verdict}`)}</strong>
      </p>
      <p className="field-label">{text("probe.next")}</p>
      <ul className="probe-advice">
        {adviceOn(verdict, isInside).map((one) => (
          <li key={one}>{text(`probe.advice-${one}`)}</li>
        ))}
      </ul>
    </div>
  );
}
