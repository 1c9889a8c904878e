import { useId, type ReactElement, type ReactNode } from "react";
import { Button as AriaButton, type ButtonProps } from "react-aria-components/Button";
import { Dialog, Heading } from "react-aria-components/Dialog";
import { ListBox, ListBoxItem } from "react-aria-components/ListBox";
import { Modal, ModalOverlay } from "react-aria-components/Modal";
import { Popover } from "react-aria-components/Popover";
import { Label } from "react-aria-components/Label";
import { Select, SelectValue } from "react-aria-components/Select";
import { Slider, SliderOutput, SliderThumb, SliderTrack } from "react-aria-components/Slider";
import { Switch } from "react-aria-components/Switch";
import { Icon, type IconName } from "./icon.tsx";
import { useTexts } from "../language.ts";

/** Looks of a button: `main` once a screen, `plain` otherwise, `bare` among others, `danger` for leaving. */
export type ButtonLook = "main" | "plain" | "bare" | "danger";

interface ActionProps extends Omit<ButtonProps, "children" | "className" | "style"> {
  readonly look?: ButtonLook;
  readonly icon?: IconName;
  /** What it does, in words. */
  readonly label: string;
  /** Shorter words that are shown; the label begins with them. */
  readonly words?: string;
  /** Shows the drawing alone; the words are for screen readers and as a tip. */
  readonly iconOnly?: boolean;
}

/** A button of at least 44 by 44 pixels, with words, a drawing, or both. */
export function Action({
  look = "plain",
  icon,
  label,
  words = label,
  iconOnly = false,
  ...rest
}: ActionProps): ReactElement {
  return (
    <AriaButton {...rest} className={`action action-${look}`} data-icon-only={iconOnly || undefined} aria-label={label}>
      {icon !== undefined && <Icon name={icon} />}
      {!iconOnly && <span>{words}</span>}
    </AriaButton>
  );
}

/** One choice of a list. An empty `id` stands for the system's default. */
export interface Choice {
  readonly id: string;
  readonly label: string;
}

interface ChooserProps {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly chosen: string;
  readonly onChoose: (id: string) => void;
}

/** Chooses one of a few, in a list that opens. Labels may come from outside: they are isolated. */
export function Chooser({ label, choices, chosen, onChoose }: ChooserProps): ReactElement {
  return (
    <Select className="field" value={chosen} onChange={(key) => onChoose(String(key ?? ""))}>
      <Label className="field-label">{label}</Label>
      <AriaButton className="chooser">
        <SelectValue className="chooser-value" />
        <Icon name="chevron" />
      </AriaButton>
      <Popover className="popover">
        <ListBox className="choices" items={choices}>
          {(choice) => (
            <ListBoxItem id={choice.id} textValue={choice.label} className="choice">
              <bdi>{choice.label}</bdi>
              <Icon name="check" />
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}

interface ToggleProps {
  readonly label: string;
  /** What it does, below the label. */
  readonly hint: string;
  readonly isOn: boolean;
  readonly onChange: (on: boolean) => void;
}

/** A switch, at least 44 pixels high, with what it does in words. */
export function Toggle({ label, hint, isOn, onChange }: ToggleProps): ReactElement {
  const id = useId();
  return (
    <div className="toggle-field">
      <Switch className="toggle" isSelected={isOn} onChange={onChange} aria-describedby={id}>
        <span className="toggle-label">{label}</span>
        <span className="toggle-track" aria-hidden="true">
          <span className="toggle-knob" />
        </span>
      </Switch>
      <p className="faint" id={id}>
        {hint}
      </p>
    </div>
  );
}

interface LoudnessSliderProps {
  readonly label: string;
  /** 0 to 2. */
  readonly value: number;
  readonly onChange: (value: number) => void;
}

/** How loud somebody or everybody is, 0 to 200 per cent. */
export function LoudnessSlider({ label, value, onChange }: LoudnessSliderProps): ReactElement {
  return (
    <Slider
      className="slider"
      minValue={0}
      maxValue={2}
      step={0.05}
      value={value}
      formatOptions={{ style: "percent" }}
      onChange={onChange}
    >
      <Label className="field-label">{label}</Label>
      <SliderOutput className="slider-output" />
      <SliderTrack className="slider-track">
        <div className="slider-fill" style={{ "--part": value / 2 } as React.CSSProperties} />
        <SliderThumb className="slider-thumb" />
      </SliderTrack>
    </Slider>
  );
}

interface SheetProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** For what is drawn: twice as wide where there is room. */
  readonly isWide?: boolean;
}

/** A dialog over the screen. Escape, a click outside and its own button close it; focus comes back to where it was. */
export function Sheet({ title, isOpen, onClose, children, isWide = false }: SheetProps): ReactElement {
  const { text } = useTexts();
  return (
    <ModalOverlay className="overlay" isOpen={isOpen} onOpenChange={(open) => !open && onClose()} isDismissable>
      <Modal className={isWide ? "sheet sheet-wide" : "sheet"}>
        <Dialog className="sheet-inside">
          <header className="sheet-head">
            <Heading slot="title" className="sheet-title">
              {title}
            </Heading>
            <Action look="bare" icon="close" iconOnly label={text("common.close")} onPress={onClose} />
          </header>
          <div className="sheet-body">{children}</div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** What is wrong and what to do, said by screen readers when it appears. The empty place stays, so that it is noticed. */
export function Problem({ children }: { readonly children: string | undefined }): ReactElement {
  return (
    <div role="alert" className="problem-place">
      {children !== undefined && (
        <p className="problem">
          <Icon name="warning" />
          <span>{children}</span>
        </p>
      )}
    </div>
  );
}
