import { useEffect, type ReactElement } from "react";
import { Label } from "react-aria-components/Label";
import { Radio, RadioGroup } from "react-aria-components/RadioGroup";
import { talkKeys, type TalkKey } from "../../p2p/api/desktop.ts";
import type { TalkKeyModel } from "../model/voice/talk-key.ts";
import { languages, type Language, type Settings, type Theme } from "../model/settings.ts";
import type { Voice } from "../model/voice/voice.ts";
import type { WayModel } from "../model/start/way.ts";
import { VolumeSlider } from "./room/control-bar.tsx";
import { Chooser, Problem, Sheet, Toggle } from "./parts/controls.tsx";
import { DeviceFields } from "./sound/device-fields.tsx";
import { useTexts } from "./language.ts";
import { MaskField, SoundCheck } from "./sound/sound-check.tsx";
import { useValue } from "./parts/use-value.ts";
import { WaySetting } from "./network/way-sheet.tsx";

interface SettingsSheetProps {
  readonly settings: Settings;
  readonly voice: Voice;
  readonly way: WayModel;
  /** Where there is a desktop app around the window. */
  readonly talkKey: TalkKeyModel | undefined;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Each language by its own name, whatever the language of now. */
const languageNames: Readonly<Record<Language, string>> = {
  en: "English",
  "zh-Hans": "简体中文",
  "zh-Hant": "繁體中文",
};
const themes: readonly Theme[] = ["system", "light", "dark"];

/** Devices, looks, language, and what is kept: nothing. */
export function SettingsSheet({ settings, voice, way, talkKey, isOpen, onClose }: SettingsSheetProps): ReactElement {
  const { text } = useTexts();
  const theme = useValue(settings.theme);
  const language = useValue(settings.language);
  return (
    <Sheet title={text("settings.title")} isOpen={isOpen} onClose={onClose}>
      <div className="stack">
        <h3 className="sheet-part">{text("settings.sound")}</h3>
        <SoundSettings voice={voice} />
        {talkKey !== undefined && <TalkKeyField model={talkKey} />}
        <h3 className="sheet-part">{text("settings.looks")}</h3>
        <RadioGroup className="field" value={theme} onChange={(next) => settings.theme.set(next as Theme)}>
          <Label className="field-label">{text("settings.theme")}</Label>
          <div className="segments">
            {themes.map((one) => (
              <Radio key={one} value={one} className="segment">
                {text(`settings.theme-${one}`)}
              </Radio>
            ))}
          </div>
        </RadioGroup>
        <Chooser
          label={text("settings.language")}
          choices={languages.map((id) => ({ id, label: languageNames[id] }))}
          chosen={language}
          onChoose={(id) => settings.language.set(id as Language)}
        />
        <WaySetting way={way} onLeave={onClose} />
        <h3 className="sheet-part">{text("settings.stored")}</h3>
        <p className="soft">{text("settings.stored-nothing")}</p>
      </div>
    </Sheet>
  );
}

/** No key. */
const noKey = "none";

/** Which key talks while another window is in front. */
function TalkKeyField({ model }: { readonly model: TalkKeyModel }): ReactElement {
  const { text } = useTexts();
  const chosen = useValue(model.chosen);
  const refused = useValue(model.refused);
  const nameOf = (key: TalkKey): string =>
    key.replace("CommandOrControl", text("talk-key.control")).replaceAll("+", " + ");
  return (
    <div className="talk-key" data-part="talk-key">
      <Chooser
        label={text("talk-key.label")}
        choices={[
          { id: noKey, label: text("talk-key.none") },
          ...talkKeys.map((key) => ({ id: key, label: nameOf(key) })),
        ]}
        chosen={chosen ?? noKey}
        onChoose={(id) => model.choose(talkKeys.find((key) => key === id))}
      />
      <p className="faint">{text("talk-key.hint")}</p>
      <Problem>{refused ? text("talk-key.refused") : undefined}</Problem>
    </div>
  );
}

/** Everything of sound. When it is closed, so is a microphone that was only tried. */
function SoundSettings({ voice }: { readonly voice: Voice }): ReactElement {
  const { text } = useTexts();
  const lowData = useValue(voice.lowData);
  const levelling = useValue(voice.levelling);
  const cues = useValue(voice.cues);
  const mindful = useValue(voice.mindful);
  useEffect(() => () => voice.endTryOut(), [voice]);
  return (
    <>
      <DeviceFields voice={voice} />
      <SoundCheck voice={voice} />
      <MaskField voice={voice} />
      <VolumeSlider voice={voice} />
      <Toggle
        label={text("settings.low-data")}
        hint={text("settings.low-data-hint")}
        isOn={lowData}
        onChange={(on) => voice.setLowData(on)}
      />
      <Toggle
        label={text("settings.levelling")}
        hint={text("settings.levelling-hint")}
        isOn={levelling}
        onChange={(on) => voice.setLevelling(on)}
      />
      <Toggle
        label={text("settings.mindful")}
        hint={text("settings.mindful-hint")}
        isOn={mindful}
        onChange={(on) => voice.setMindful(on)}
      />
      <Toggle
        label={text("settings.cues")}
        hint={text("settings.cues-hint")}
        isOn={cues}
        onChange={(on) => voice.cues.set(on)}
      />
    </>
  );
}
