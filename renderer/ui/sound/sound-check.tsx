import { useEffect, useRef, useState, type ReactElement } from "react";
import type { Voice } from "../../model/voice/voice.ts";
import { Action, Problem, Toggle } from "../parts/controls.tsx";
import { useTexts } from "../language.ts";
import { useValue } from "../parts/use-value.ts";

interface SoundCheckProps {
  readonly voice: Voice;
}

/** A voice at arm's length is louder than this, a quiet room is not. */
const heardLevel = 0.2;

/** Shows that the microphone works, and lets one hear oneself, before anybody else can. */
export function SoundCheck({ voice }: SoundCheckProps): ReactElement {
  const { text, say } = useTexts();
  const fault = useValue(voice.microphoneFault);
  const trying = useValue(voice.trying);
  return (
    <div className="meter-field">
      {fault === undefined && trying ? (
        <>
          <LevelMeter voice={voice} />
          <TrialControls voice={voice} />
        </>
      ) : (
        <Action
          icon="microphone"
          label={text("meter.try")}
          onPress={() => void voice.tryOut().catch(() => undefined)}
        />
      )}
      <Problem>{fault && say(fault)}</Problem>
    </div>
  );
}

/** The bar is moved without React: 20 times a second. */
function LevelMeter({ voice }: SoundCheckProps): ReactElement {
  const { text } = useTexts();
  const trial = useValue(voice.trial.state);
  const [heard, setHeard] = useState(false);
  const bar = useRef<HTMLDivElement>(null);
  useEffect(
    () =>
      voice.microphone.onLevel((level) => {
        bar.current?.style.setProperty("--level", level.toFixed(2));
        if (level > heardLevel) setHeard(true);
      }),
    [voice],
  );
  const idle = heard ? "meter.works" : "meter.speak";
  return (
    <>
      <p className="field-label" role="status">
        {text(trial === "idle" ? idle : `trial.${trial}`)}
      </p>
      <div className="meter" ref={bar} data-works={heard || undefined} aria-hidden="true">
        <div className="meter-fill" />
      </div>
    </>
  );
}

/** Takes five seconds down and plays them to oneself. */
function TrialControls({ voice }: SoundCheckProps): ReactElement {
  const { text } = useTexts();
  const state = useValue(voice.trial.state);
  const masked = useValue(voice.masked);
  switch (state) {
    case "idle":
      return (
        <Action
          icon={masked ? "mask" : "record"}
          label={text(masked ? "trial.record-masked" : "trial.record")}
          onPress={() => void voice.trial.start()}
        />
      );
    case "recording":
      return <Action icon="stop" label={text("trial.finish")} onPress={() => voice.trial.finish()} />;
    case "playing":
      return <Action icon="stop" label={text("trial.stop")} onPress={() => voice.trial.stop()} />;
    default:
      return state satisfies never;
  }
}

/** The mask: what it does, and in one sentence what it does not hide. */
export function MaskField({ voice }: SoundCheckProps): ReactElement {
  const { text } = useTexts();
  const masked = useValue(voice.masked);
  return (
    <div className="mask-field" data-on={masked || undefined}>
      <Toggle
        label={text("mask.label")}
        hint={text("mask.what")}
        isOn={masked}
        onChange={(on) => voice.setMasked(on)}
      />
      <p className="faint">{text("mask.limit")}</p>
    </div>
  );
}
