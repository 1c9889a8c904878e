import type { ReactElement } from "react";
import { Input } from "react-aria-components/Input";
import { Label } from "react-aria-components/Label";
import { Radio, RadioGroup } from "react-aria-components/RadioGroup";
import { TextField } from "react-aria-components/TextField";
import { wayPicks, type ProxyUse, type WayModel, type WayPick } from "../../model/start/way.ts";
import type { Cell } from "../../model/value.ts";
import { Action, Problem, Sheet } from "../parts/controls.tsx";
import { useTexts } from "../language.ts";
import { useValue } from "../parts/use-value.ts";

/** Where Tor listens; the same in every language. */
const proxyExample = "socks5://127.0.0.1:9050";
const proxyUses: readonly ProxyUse[] = ["always", "fallback"];

/** Which way to the network is taken: what each reveals, and the proxy's address. */
export function WaySheet({ way }: { readonly way: WayModel }): ReactElement {
  const { text } = useTexts();
  const isOpen = useValue(way.isOpen);
  return (
    <Sheet title={text("way.title")} isOpen={isOpen} onClose={() => way.close()}>
      <WayForm way={way} />
    </Sheet>
  );
}

function WayForm({ way }: { readonly way: WayModel }): ReactElement {
  const { text, say } = useTexts();
  const pick = useValue(way.pick);
  const problem = useValue(way.problem);
  const isChanging = useValue(way.isChanging);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        way.apply().catch(() => undefined);
      }}
    >
      <p className="soft">{text("way.lead")}</p>
      <RadioGroup
        className="field"
        aria-label={text("way.title")}
        value={pick ?? null}
        onChange={(next) => way.pick.set(next as WayPick)}
      >
        {wayPicks.map((one) => (
          <Radio key={one} value={one} className="way">
            <span className="way-dot" aria-hidden="true" />
            <span>
              <span className="way-title">{text(`way.pick-${one}`)}</span>
              <span className="way-hint">{text(`way.pick-${one}-hint`)}</span>
            </span>
          </Radio>
        ))}
      </RadioGroup>
      {pick === "proxy" && <ProxyFields way={way} />}
      <Problem>{problem && say(problem)}</Problem>
      <div className="row">
        <Action look="main" type="submit" label={text("way.use")} />
        <p className="soft" role="status">
          {isChanging ? text("way.changing") : ""}
        </p>
      </div>
      <p className="faint">{text("way.kept")}</p>
    </form>
  );
}

function ProxyFields({ way }: { readonly way: WayModel }): ReactElement {
  const { text } = useTexts();
  const use = useValue(way.proxyUse);
  const address = useValue(way.address);
  const isKnownToEngine = useValue(way.inUse) === "proxy" && address === "";
  return (
    <>
      <TextField className="field" value={address} onChange={(next) => way.setAddress(next)} maxLength={1024}>
        <Label className="field-label">{text("way.address")}</Label>
        <Input
          className="input"
          dir="ltr"
          autoComplete="off"
          spellCheck="false"
          inputMode="url"
          placeholder={proxyExample}
        />
      </TextField>
      {isKnownToEngine && <p className="soft">{text("way.address-kept")}</p>}
      <div className="way-pair">
        <SecretField label={text("way.user")} value={way.user} type="text" />
        <SecretField label={text("way.password")} value={way.password} type="password" />
      </div>
      <RadioGroup className="field" value={use} onChange={(next) => way.proxyUse.set(next as ProxyUse)}>
        <Label className="field-label">{text("way.when")}</Label>
        <div className="segments">
          {proxyUses.map((one) => (
            <Radio key={one} value={one} className="segment">
              {text(`way.when-${one}`)}
            </Radio>
          ))}
        </div>
        <p className="faint">{text(`way.when-${use}-hint`)}</p>
      </RadioGroup>
    </>
  );
}

interface SecretFieldProps {
  readonly label: string;
  readonly value: Cell<string>;
  readonly type: "text" | "password";
}

/** What opens the proxy: no browser keeps it. */
function SecretField({ label, value, type }: SecretFieldProps): ReactElement {
  const shown = useValue(value);
  return (
    <TextField className="field" type={type} value={shown} onChange={(next) => value.set(next)} maxLength={255}>
      <Label className="field-label">{label}</Label>
      <Input className="input" dir="ltr" autoComplete="off" spellCheck="false" />
    </TextField>
  );
}

interface WaySettingProps {
  readonly way: WayModel;
  /** Before the choice opens, whatever stands in front of it closes. */
  readonly onLeave: () => void;
}

/** Among the settings: the way in use, and the way to another. */
export function WaySetting({ way, onLeave }: WaySettingProps): ReactElement {
  const { text } = useTexts();
  const inUse = useValue(way.inUse);
  return (
    <>
      <h3 className="sheet-part">{text("way.title")}</h3>
      <div className="way-setting">
        <p>{text(inUse === undefined ? "way.lan" : `way.pick-${inUse}`)}</p>
        <Action
          label={text("way.change")}
          onPress={() => {
            onLeave();
            way.open();
          }}
        />
      </div>
    </>
  );
}
