import { useEffect, useRef, type ReactElement } from "react";
import { Button } from "react-aria-components/Button";
import { Label } from "react-aria-components/Label";
import { Popover } from "react-aria-components/Popover";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Slider, SliderOutput, SliderThumb, SliderTrack } from "react-aria-components/Slider";
import type { RoomModel } from "../model/room.ts";
import type { MicrophoneState, Voice } from "../model/voice.ts";
import { Action } from "./controls.tsx";
import { Icon } from "./icon.tsx";
import { useTexts, type TextKey } from "./language.ts";
import { useValue } from "./use-value.ts";

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
        <Action look="bare" icon="words" label={text("bar.type")} onPress={onType} />
        <VolumeControl voice={model.voice} />
        <Action look="danger" icon="leave" label={text("bar.leave")} onPress={() => model.leave()} />
      </div>
    </footer>
  );
}

function ListenerControls({ model }: { readonly model: RoomModel }): ReactElement {
  const { text } = useTexts();
  const up = useValue(model.hand) === "up";
  return (
    <div className="bar-voice">
      <Action
        look={up ? "plain" : "main"}
        icon="hand"
        label={text(up ? "bar.hand-down" : "bar.hand-up")}
        onPress={() => model.toggleHand()}
      />
      <p className="bar-words">
        <strong>{text(up ? "voice.hand" : "voice.shut")}</strong>
        <span>{text(up ? "voice.hand-hint" : "voice.shut-hint")}</span>
      </p>
    </div>
  );
}

const stateWords: Readonly<Record<Exclude<MicrophoneState, "shut">, readonly [title: TextKey, hint: TextKey]>> = {
  muted: ["voice.muted", "voice.muted-hint"],
  live: ["voice.live", "voice.live-hint"],
  held: ["voice.held", "voice.held-hint"],
};

/** Unmuted with a microphone that gives nothing. What is wrong with it stands above. */
const unheardWords: readonly [title: TextKey, hint: TextKey] = ["voice.unheard", "voice.unheard-hint"];

interface SpeakerControlsProps {
  readonly model: RoomModel;
  readonly state: Exclude<MicrophoneState, "shut">;
}

function SpeakerControls({ model, state }: SpeakerControlsProps): ReactElement {
  const { text } = useTexts();
  const isUnheard = useValue(model.voice.microphoneFault) !== undefined && state !== "muted";
  const [title, hint] = isUnheard ? unheardWords : stateWords[state];
  const open = state !== "muted";
  return (
    <div className="bar-voice">
      <Button
        className="voice-button"
        data-open={open || undefined}
        // Not also as pressed: "Mute, pressed" would be heard as muted.
        aria-label={text(state === "live" ? "bar.mute" : "bar.unmute")}
        onPress={() => model.toggleMuted()}
      >
        <OwnLevel voice={model.voice} />
        <Icon name={open ? "microphone" : "microphone-off"} />
      </Button>
      <p className="bar-words">
        <strong>{text(title)}</strong>
        <span>{text(hint)}</span>
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
      <Action look="bare" icon={volume === 0 ? "volume-off" : "volume"} label={text("bar.volume")} />
      <Popover className="popover popover-volume" placement="top">
        <Dialog className="volume" aria-label={text("bar.volume")}>
          <VolumeSlider voice={voice} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

/** The loudness of everybody together, 0 to 200 per cent. */
export function VolumeSlider({ voice }: { readonly voice: Voice }): ReactElement {
  const { text } = useTexts();
  const volume = useValue(voice.volume);
  return (
    <Slider
      className="slider"
      minValue={0}
      maxValue={2}
      step={0.05}
      value={volume}
      formatOptions={{ style: "percent" }}
      onChange={(next) => voice.setVolume(next)}
    >
      <Label className="field-label">{text("bar.volume")}</Label>
      <SliderOutput className="slider-output" />
      <SliderTrack className="slider-track">
        <div className="slider-fill" style={{ "--part": volume / 2 } as React.CSSProperties} />
        <SliderThumb className="slider-thumb" />
      </SliderTrack>
    </Slider>
  );
}
