import { useEffect, useRef, type ReactElement } from "react";
import { Input } from "react-aria-components/Input";
import { Label } from "react-aria-components/Label";
import { TextField } from "react-aria-components/TextField";
import { joinSteps, stepStates, type LobbyModel } from "../../model/start/lobby.ts";
import type { ProbeModel } from "../../model/start/probe.ts";
import { Action, Problem } from "../parts/controls.tsx";
import { DeviceFields } from "../sound/device-fields.tsx";
import { Icon } from "../parts/icon.tsx";
import { useTexts, type TextKey } from "../language.ts";
import { MaskField, SoundCheck } from "../sound/sound-check.tsx";
import { WhyButton } from "./probe-view.tsx";
import { useValue } from "../parts/use-value.ts";

/** What joining reveals, and to whom; then what it does not. */
const learned: readonly TextKey[] = ["lobby.learn-name", "lobby.learn-voice", "lobby.learn-relay"];

interface LobbyViewProps {
  readonly model: LobbyModel;
  readonly probe: ProbeModel;
}

/** Between decision and room: who to be, what to hear and speak with, and what others will learn. */
export function LobbyView({ model, probe }: LobbyViewProps): ReactElement {
  const phase = useValue(model.session.phase);
  return phase === "entering" ? <Entering model={model} probe={probe} /> : <Preparing model={model} probe={probe} />;
}

function Preparing({ model, probe }: LobbyViewProps): ReactElement {
  const { text, say } = useTexts();
  const name = useValue(model.name);
  const problem = useValue(model.problem);
  const hosting = model.purpose.kind === "host";
  const enter = (): void => {
    model.enter().catch(() => undefined);
  };
  return (
    <section className="lobby">
      <header className="lobby-head">
        <h1 className="screen-title" tabIndex={-1}>
          {text(hosting ? "lobby.title-host" : "lobby.title")}
        </h1>
        <p className="soft">{text(hosting ? "lobby.lead-host" : "lobby.lead")}</p>
      </header>
      <form
        className="card stack"
        onSubmit={(event) => {
          event.preventDefault();
          enter();
        }}
      >
        <TextField className="field" value={name} onChange={(next) => model.name.set(next)} maxLength={200}>
          <Label className="field-label">{text("lobby.name")}</Label>
          <Input className="input" dir="auto" autoComplete="off" placeholder={text("person.nameless")} />
        </TextField>
        <Passphrase model={model} />
        <DeviceFields voice={model.voice} />
        <MaskField voice={model.voice} />
        <SoundCheck voice={model.voice} />
        <Problem>{problem && say(problem)}</Problem>
        <div className="row">
          <Action look="main" type="submit" label={text(hosting ? "lobby.go-host" : "lobby.go")} />
          <WhyButton probe={probe} trouble={problem} />
          <Action look="bare" label={text("common.back")} onPress={() => model.cancel()} />
        </div>
      </form>
      <aside className="learn">
        <h2 className="learn-title">{text("lobby.learn")}</h2>
        <ul className="learn-list">
          {learned.map((key) => (
            <li key={key}>
              <Icon name="eye" />
              <span>{text(key)}</span>
            </li>
          ))}
          {hosting && model.purpose.kind === "host" && model.purpose.via.length === 0 && (
            <li className="learn-warning">
              <Icon name="warning" />
              <span>{text("lobby.learn-self")}</span>
            </li>
          )}
          <li className="learn-not">
            <Icon name="check" />
            <span>{text("lobby.learn-not")}</span>
          </li>
        </ul>
        <p className="faint">{text("lobby.open")}</p>
      </aside>
    </section>
  );
}

/** What the invite asks for beside itself. It is there once it is known to be needed. */
function Passphrase({ model }: { readonly model: LobbyModel }): ReactElement | null {
  const { text } = useTexts();
  const isNeeded = useValue(model.needsPassphrase);
  const passphrase = useValue(model.passphrase);
  if (!isNeeded) return null;
  return (
    <TextField
      className="field"
      type="password"
      value={passphrase}
      onChange={(next) => model.passphrase.set(next)}
      maxLength={128}
      autoFocus
    >
      <Label className="field-label">{text("lobby.passphrase")}</Label>
      <Input className="input" dir="auto" autoComplete="off" spellCheck="false" />
    </TextField>
  );
}

function Entering({ model, probe }: LobbyViewProps): ReactElement {
  const { text, say } = useTexts();
  const named = useValue(model.session.steps);
  const trouble = useValue(model.session.trouble);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const states = stepStates(named);
  const now = joinSteps.find((step) => states.get(step) === "now");
  return (
    <section className="lobby lobby-entering">
      <header className="lobby-head">
        <h1 className="screen-title" tabIndex={-1} ref={heading}>
          {text("entering.title")}
        </h1>
      </header>
      <div className="card stack">
        <ol className="steps">
          {joinSteps.map((step) => (
            <li
              key={step}
              className="step"
              data-state={states.get(step)}
              aria-current={step === now ? "step" : undefined}
            >
              <span className="step-dot">{states.get(step) === "done" && <Icon name="check" />}</span>
              <span>{text(`step.${step}`)}</span>
              {states.get(step) === "skipped" && <span className="step-note">{text("entering.skipped")}</span>}
            </li>
          ))}
        </ol>
        <p className="hidden-words" role="status">
          {now && text(`step.${now}`)}
        </p>
        <Problem>{trouble && say(trouble)}</Problem>
        <div className="row">
          <Action label={text("entering.stop")} onPress={() => model.cancel()} />
          {model.purpose.kind === "join" && (
            <Action
              look="bare"
              label={text("probe.instead")}
              onPress={() => {
                model.stopEntering();
                probe.start();
              }}
            />
          )}
        </div>
      </div>
    </section>
  );
}
