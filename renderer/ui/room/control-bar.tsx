import { useEffect, useRef, type ReactElement } from "react";
import { Button } from "react-aria-components/Button";
import { Popover } from "react-aria-components/Popover";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { placeInQueue } from "../../model/room/facts.ts";
import type { RoomModel } from "../../model/room/room.ts";
import type { SpeakingRule } from "../../model/voice/speaking-rules.ts";
import { isHeard, type MicrophoneState, type Voice } from "../../model/voice/voice.ts";
import { Action, LoudnessSlider } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { useTexts, type TextKey } from "../language.ts";
import { ReactControl } from "./reactions-view.tsx";
import { useValue } from "../parts/use-value.ts";

interface ControlBarProps {
  readonly model: RoomModel;
  readonly onType: () => void;
}

/** What the microphone does, in large words, and everything one can do. */
export function ControlBar({ model, onType }: ControlBarProps): ReactElement {
  const { text } = useTexts();
  const state = useValue(model.voice.state);
  const role = useValue(model.session.role);
  return (
    <footer className="bar" data-voice={state}>
      {state === "shut" ? <ListenerControls model={model} /> : <SpeakerControls model={model} state={state} />}
      <div className="bar-tools">
        {state !== "shut" && role !== "host" && (
          <Action look="bare" icon="steps" label={text("bar.leave-stage")} onPress={() => model.leaveStage()} />
        )}
        <Action look="bare" icon="words" label={text("bar.type")} data-secondary onPress={onType} />
        <ReactControl model={model} />
        <VolumeControl voice={model.voice} />
        <DeafenControl model={model} />
        <Action
          look="danger"
          icon="leave"
          words={text("bar.leave-short")}
          label={text("bar.leave")}
          onPress={() => model.leave()}
        />
      </div>
    </footer>
  );
}

function ListenerControls({ model }: { readonly model: RoomModel }): ReactElement {
  const { text } = useTexts();
  const up = useValue(model.hand) === "up";
  const deaf = useValue(model.voice.deafened);
  const place = placeInQueue(useValue(model.session.facts)?.hands ?? []);
  const handHint = place === undefined ? text("voice.hand-hint") : text("voice.hand-place", { number: place });
  return (
    <div className="bar-voice">
      <Action
        look={up ? "plain" : "main"}
        icon="hand"
        label={text(up ? "bar.hand-down" : "bar.hand-up")}
        onPress={() => model.toggleHand()}
      />
      <p className="bar-words">
        <strong>{text(deaf ? "voice.deaf" : up ? "voice.hand" : "voice.shut")}</strong>
        <span>{deaf ? text("voice.deaf-hint") : up ? handHint : text("voice.shut-hint")}</span>
      </p>
    </div>
  );
}

const stateWords: Readonly<Record<Exclude<MicrophoneState, "shut">, readonly [title: TextKey, hint: TextKey]>> = {
  muted: ["voice.muted", "voice.muted-hint"],
  live: ["voice.live", "voice.live-hint"],
  held: ["voice.held", "voice.held-hint"],
  hushed: ["voice.hushed", "voice.hushed-hint"],
  paused: ["voice.paused", "voice.paused-hint"],
};

/** The same by a key of the whole system: not every one tells when it is let go. */
const bySystemWords: Readonly<Partial<Record<MicrophoneState, readonly [title: TextKey, hint: TextKey]>>> = {
  held: ["voice.held-key", "voice.held-key-hint"],
  hushed: ["voice.hushed-key", "voice.hushed-key-hint"],
};

/** Unmuted with a microphone that gives nothing. What is wrong with it stands above. */
const unheardWords: readonly [title: TextKey, hint: TextKey] = ["voice.unheard", "voice.unheard-hint"];

/** Stopped because our own loudspeakers let nothing be heard. What is wrong with them stands above. */
const soundlessWords: readonly [title: TextKey, hint: TextKey] = ["voice.paused", "voice.soundless-hint"];

/** Muted where one may not simply unmute. */
const ruleWords: Readonly<Record<Exclude<SpeakingRule, "free">, readonly [title: TextKey, hint: TextKey]>> = {
  "hold-only": ["voice.muted", "speaking.hold-only"],
  "muted-by-keeper": ["voice.kept", "speaking.muted-by-keeper"],
};

/** Muted because the computer slept. */
const sleptWords: readonly [title: TextKey, hint: TextKey] = ["voice.muted", "voice.slept-hint"];

interface Said {
  readonly state: Exclude<MicrophoneState, "shut">;
  readonly rule: SpeakingRule;
  readonly bySystem: boolean;
  readonly deaf: boolean;
  readonly nudged: boolean;
  readonly slept: boolean;
  readonly isUnheard: boolean;
  readonly isSoundless: boolean;
}

/** What is said of the microphone: what keeps one from being heard goes before how one would be. */
function wordsFor(said: Said): readonly [title: TextKey, hint: TextKey] {
  const { state, rule } = said;
  if (said.deaf) return ["voice.deaf", "voice.deaf-hint"];
  if (state === "muted" && rule === "muted-by-keeper") return ruleWords[rule];
  if (said.nudged) return ["voice.nudge", rule === "hold-only" ? "speaking.hold-only" : "voice.nudge-hint"];
  if (said.slept && state === "muted") return sleptWords;
  if (said.isUnheard) return unheardWords;
  if (said.bySystem && bySystemWords[state] !== undefined) return bySystemWords[state];
  if (state === "paused" && said.isSoundless) return soundlessWords;
  return state === "muted" && rule !== "free" ? ruleWords[rule] : stateWords[state];
}

interface SpeakerControlsProps {
  readonly model: RoomModel;
  readonly state: Exclude<MicrophoneState, "shut">;
}

function SpeakerControls({ model, state }: SpeakerControlsProps): ReactElement {
  const { text } = useTexts();
  const deaf = useValue(model.voice.deafened);
  const nudged = useValue(model.voice.talksMuted);
  const slept = useValue(model.voice.slept);
  const masked = useValue(model.voice.masked);
  const bySystem = useValue(model.voice.bySystem);
  const rule = useValue(model.rules.rule);
  const open = isHeard(state);
  const isUnheard = useValue(model.voice.microphoneFault) !== undefined && open;
  const isSoundless = useValue(model.voice.speakersFault) !== undefined;
  const [title, hint] = wordsFor({ state, rule, bySystem, deaf, nudged, slept, isUnheard, isSoundless });
  return (
    <div className="bar-voice">
      <Button
        className="voice-button"
        data-open={open || undefined}
        // Not also as pressed: "Mute, pressed" would be heard as muted.
        data-nudged={nudged || undefined}
        aria-label={text(state === "live" || state === "paused" ? "bar.mute" : "bar.unmute")}
        onPress={() => model.toggleMuted()}
      >
        <OwnLevel voice={model.voice} />
        <Icon name={open ? "microphone" : "microphone-off"} />
      </Button>
      <p className="bar-words">
        <strong>{text(title)}</strong>
        <span>{text(hint)}</span>
        {masked && (
          <span className="bar-mask">
            <Icon name="mask" />
            {text("mask.on")}
          </span>
        )}
      </p>
    </div>
  );
}

/** One's own loudness, around the button; written without React. */
function OwnLevel({ voice }: { readonly voice: Voice }): ReactElement {
  const ring = useRef<HTMLSpanElement>(null);
  useEffect(
    () =>
      voice.microphone.onLevel((level) => {
        ring.current?.style.setProperty("--level", level.toFixed(2));
      }),
    [voice],
  );
  return <span className="voice-level" ref={ring} aria-hidden="true" />;
}

function VolumeControl({ voice }: { readonly voice: Voice }): ReactElement {
  const { text } = useTexts();
  const volume = useValue(voice.volume);
  return (
    <DialogTrigger>
      <Action look="bare" icon={volume === 0 ? "volume-off" : "volume"} label={text("bar.volume")} data-secondary />
      <Popover className="popover popover-volume" placement="top">
        <Dialog className="volume" aria-label={text("bar.volume")}>
          <VolumeSlider voice={voice} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function DeafenControl({ model }: { readonly model: RoomModel }): ReactElement {
  const { text } = useTexts();
  const deaf = useValue(model.voice.deafened);
  return (
    <Action
      look="bare"
      icon={deaf ? "ear-off" : "ear"}
      label={text(deaf ? "bar.undeafen" : "bar.deafen")}
      data-secondary
      onPress={() => model.toggleDeafened()}
    />
  );
}

/** The loudness of everybody together, 0 to 200 per cent. */
export function VolumeSlider({ voice }: { readonly voice: Voice }): ReactElement {
  const { text } = useTexts();
  const volume = useValue(voice.volume);
  return <LoudnessSlider label={text("bar.volume")} value={volume} onChange={(next) => voice.setVolume(next)} />;
}
