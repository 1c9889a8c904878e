import type { ReactElement } from "react";
import type { Screen } from "../../model/app.ts";
import { Action } from "../parts/controls.tsx";
import { useTexts } from "../language.ts";
import { Mark } from "../parts/mark.tsx";

type Ended = Extract<Screen, { readonly kind: "ended" }>;

/** Nothing goes on in this window: why, and what to do. */
export function EndedView({ screen }: { readonly screen: Ended }): ReactElement {
  const { text } = useTexts();
  const { fault, model } = screen;
  const { takeOver } = model;
  return (
    <section className="ended">
      <Mark />
      <h1 className="screen-title" tabIndex={-1}>
        {text(`ended.${fault}`)}
      </h1>
      <p className="soft">{text(`fault.${fault}`)}</p>
      {takeOver !== undefined && <Action look="main" label={text("ended.take-over")} onPress={takeOver} />}
    </section>
  );
}
