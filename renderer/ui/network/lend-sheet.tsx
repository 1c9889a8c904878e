import type { ReactElement } from "react";
import type { LendingState } from "../../../p2p/api/engine.ts";
import { lendCrowds, lendRates, type LendModel } from "../../model/lend.ts";
import { Chooser, Problem, Sheet, Toggle } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { useTexts, type Texts } from "../language.ts";
import { useValue } from "../parts/use-value.ts";

const hoursOfDay = Array.from({ length: 24 }, (_, hour) => hour);

interface LendSheetProps {
  readonly lend: LendModel;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Helping to carry the room: what it does and shows, and within which limits. */
export function LendSheet({ lend, isOpen, onClose }: LendSheetProps): ReactElement {
  const { text } = useTexts();
  return (
    <Sheet title={text("lend.title")} isOpen={isOpen} onClose={onClose}>
      <Lending lend={lend} />
    </Sheet>
  );
}

function Lending({ lend }: { readonly lend: LendModel }): ReactElement {
  const { text, say } = useTexts();
  const isOn = useValue(lend.isOn);
  const problem = useValue(lend.problem);
  const state = useValue(lend.state);
  const isChanging = useValue(lend.isChanging);
  return (
    <div className="stack">
      <p className="soft">{text("lend.lead")}</p>
      <p className="lend-shows">
        <Icon name="eye" />
        <span>{text("lend.shows")}</span>
      </p>
      <Toggle
        label={text("lend.switch")}
        hint={text("lend.switch-hint")}
        isOn={isOn}
        onChange={(on) => void lend.turn(on)}
      />
      <p className="hidden-words" role="status">
        {isChanging ? text("lend.changing") : ""}
      </p>
      <Problem>{problem && say(problem)}</Problem>
      {isOn && state !== undefined && <LendMeter state={state} />}
      <LendLimits lend={lend} />
    </div>
  );
}

/** How much of what is lent is used now. */
function LendMeter({ state }: { readonly state: LendingState }): ReactElement {
  const { text } = useTexts();
  const { paused, children, childrenMax, kbps, kbpsMax } = state;
  const part = childrenMax === 0 ? 0 : Math.min(1, children / childrenMax);
  return (
    <div className="lend-meter">
      <p>
        <strong>{text("lend.carrying", { count: children, most: childrenMax })}</strong>
        <span className="faint">
          {kbpsMax === null
            ? text("lend.rate", { number: kbps })
            : text("lend.rate-of", { number: kbps, most: kbpsMax })}
        </span>
      </p>
      <div className="lend-bar" aria-hidden="true">
        <div style={{ "--part": part } as React.CSSProperties} />
      </div>
      {paused !== null && <p className="soft">{text(`lend.paused-${paused}`)}</p>}
    </div>
  );
}

function LendLimits({ lend }: { readonly lend: LendModel }): ReactElement {
  const texts = useTexts();
  const { text } = texts;
  const rate = useValue(lend.maxKbps);
  const crowd = useValue(lend.maxChildren);
  const from = useValue(lend.fromMinute);
  const to = useValue(lend.toMinute);
  const notOnBattery = useValue(lend.notOnBattery);
  const notOnMetered = useValue(lend.notOnMetered);
  const hours = hoursOfDay.map((hour) => ({ id: String(hour * 60), label: hourOf(texts, hour) }));
  return (
    <>
      <div className="field-pair">
        <Chooser
          label={text("lend.people")}
          choices={lendCrowds.map((most) => ({ id: String(most), label: text("lend.people-most", { count: most }) }))}
          chosen={String(crowd)}
          onChoose={(id) => void lend.limit(lend.maxChildren, Number(id))}
        />
        <Chooser
          label={text("lend.upload")}
          choices={lendRates.map((most) => ({
            id: String(most),
            label: most === 0 ? text("lend.upload-any") : text("lend.rate", { number: most }),
          }))}
          chosen={String(rate)}
          onChoose={(id) => void lend.limit(lend.maxKbps, Number(id))}
        />
        <Chooser
          label={text("lend.from")}
          choices={hours}
          chosen={String(from)}
          onChoose={(id) => void lend.limit(lend.fromMinute, Number(id))}
        />
        <Chooser
          label={text("lend.until")}
          choices={hours}
          chosen={String(to)}
          onChoose={(id) => void lend.limit(lend.toMinute, Number(id))}
        />
      </div>
      {from === to && <p className="faint">{text("lend.all-day")}</p>}
      <Toggle
        label={text("lend.not-battery")}
        hint={text("lend.not-battery-hint")}
        isOn={notOnBattery}
        onChange={(on) => void lend.limit(lend.notOnBattery, on)}
      />
      <Toggle
        label={text("lend.not-metered")}
        hint={text("lend.not-metered-hint")}
        isOn={notOnMetered}
        onChange={(on) => void lend.limit(lend.notOnMetered, on)}
      />
    </>
  );
}

function hourOf({ language }: Texts, hour: number): string {
  return new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(new Date(2000, 0, 1, hour));
}
