import type { i18n } from "i18next";
import { useEffect, useRef, useState, type ReactElement } from "react";
import { I18nProvider } from "react-aria-components/I18nProvider";
import { I18nextProvider } from "react-i18next";
import type { App, Screen } from "../model/app.ts";
import type { RoomModel } from "../model/room/room.ts";
import type { Language } from "../model/settings.ts";
import { Action } from "./parts/controls.tsx";
import { EndedView } from "./start/ended-view.tsx";
import { useTexts } from "./language.ts";
import { LobbyView } from "./start/lobby-view.tsx";
import { Mark } from "./parts/mark.tsx";
import { PanicButton, usePanicKeys } from "./room/panic-button.tsx";
import { ProbeSheet } from "./start/probe-view.tsx";
import { RoomView } from "./room/room-view.tsx";
import { SettingsSheet } from "./settings-sheet.tsx";
import { StartView } from "./start/start-view.tsx";
import { useValue } from "./parts/use-value.ts";
import { WaySheet } from "./network/way-sheet.tsx";
import "./parts/theme.css";
import "./parts/base.css";
import "./start/start.css";
import "./room/room.css";
import "./room/stage.css";
import "./network/way.css";
import "./network/tree.css";
import "./room/keeping.css";

/** Our languages as the component library names them. */
const locales: Readonly<Record<Language, string>> = { en: "en-US", "zh-Hans": "zh-CN", "zh-Hant": "zh-TW" };

interface AppViewProps {
  readonly app: App;
  readonly language: i18n;
}

/** The window. */
export function AppView({ app, language }: AppViewProps): ReactElement {
  const chosen = useValue(app.settings.language);
  const theme = useValue(app.settings.theme);
  useEffect(() => {
    const root = document.documentElement;
    root.lang = chosen;
    root.dir = language.dir(chosen);
    language.changeLanguage(chosen).catch(() => undefined);
  }, [chosen, language]);
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  return (
    <I18nextProvider i18n={language}>
      <I18nProvider locale={locales[chosen]}>
        <Screens app={app} />
      </I18nProvider>
    </I18nextProvider>
  );
}

function Screens({ app }: { readonly app: App }): ReactElement {
  const { text } = useTexts();
  const screen = useValue(app.screen);
  usePanicKeys(app);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    // A new screen begins at its heading, for screen readers and for the next Tab. Not the first: nothing was left.
    if (!first.current) main.current?.querySelector<HTMLElement>("h1")?.focus();
    first.current = false;
    document.title = titleOf(screen, text("common.app"));
  }, [screen, text]);
  return (
    <>
      {screen.kind !== "room" && <TopBar app={app} />}
      <main ref={main} className={`screen screen-${screen.kind}`}>
        <ScreenView app={app} screen={screen} />
      </main>
      {screen.kind === "room" && <Announcer model={screen.model} />}
      <WaySheet way={app.way} />
      <ProbeSheet probe={app.probe} way={app.way} />
    </>
  );
}

function ScreenView({ app, screen }: { readonly app: App; readonly screen: Screen }): ReactElement {
  switch (screen.kind) {
    case "start":
      return <StartView model={screen.model} probe={app.probe} hall={app.hall} />;
    case "lobby":
      return <LobbyView model={screen.model} probe={app.probe} />;
    case "room":
      return <RoomView model={screen.model} app={app} />;
    case "ended":
      return <EndedView screen={screen} />;
    default:
      return screen satisfies never;
  }
}

function TopBar({ app }: { readonly app: App }): ReactElement {
  const { text } = useTexts();
  const [open, setOpen] = useState(false);
  return (
    <header className="top">
      <p className="brand">
        <Mark />
        <span>{text("common.app")}</span>
      </p>
      <div className="top-tools">
        <PanicButton app={app} />
        <Action look="bare" icon="settings" label={text("settings.title")} onPress={() => setOpen(true)} />
      </div>
      <SettingsSheet
        settings={app.settings}
        voice={app.voice}
        way={app.way}
        talkKey={app.talkKey}
        isOpen={open}
        onClose={() => setOpen(false)}
      />
    </header>
  );
}

/** Says what happens to whoever does not see it. Two places in turn, so that the same words are said again. */
function Announcer({ model }: { readonly model: RoomModel }): ReactElement {
  const { say } = useTexts();
  const announcement = useValue(model.announcement);
  const turn = useRef(0);
  const last = useRef(announcement);
  if (last.current !== announcement) {
    last.current = announcement;
    turn.current = 1 - turn.current;
  }
  const words = announcement === undefined ? "" : say(announcement);
  return (
    <div className="hidden-words" aria-live="polite">
      <p>{turn.current === 0 ? words : ""}</p>
      <p>{turn.current === 1 ? words : ""}</p>
    </div>
  );
}

function titleOf(screen: Screen, app: string): string {
  const title = screen.kind === "room" ? screen.model.session.stage.get().title : "";
  return title === "" ? app : `${title} · ${app}`;
}
