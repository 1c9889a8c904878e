import type { Menu, NativeImage, nativeImage, Tray } from "electron";
import type { Words } from "./words.ts";

/** What of Electron the tray icon is made with. */
export interface TrayElectron {
  readonly Tray: typeof Tray;
  readonly Menu: typeof Menu;
  readonly nativeImage: typeof nativeImage;
}

/** What the engine does that goes on without a window. */
export interface Work {
  readonly inRoom: boolean;
  readonly relaying: boolean;
}

/** What a person can do from the icon. */
export interface TrayActions {
  open(): void;
  quit(): void;
}

/** An icon beside the clock while something goes on, and only then: what runs unseen must be easy to see and to end. */
export class TrayIcon {
  readonly #electron: TrayElectron;
  readonly #image: NativeImage;
  readonly #words: Words;
  readonly #actions: TrayActions;
  #tray: Tray | undefined;

  /** `image` is a path; its `@2x` neighbour serves sharper screens. */
  constructor(electron: TrayElectron, image: string, words: Words, actions: TrayActions) {
    this.#electron = electron;
    this.#image = electron.nativeImage.createFromPath(image);
    // On macOS the system paints it in the colour of its menu bar; elsewhere this says nothing.
    this.#image.setTemplateImage(true);
    this.#words = words;
    this.#actions = actions;
  }

  /** Shows, changes or removes the icon. `isMuted`: the window is out of sight, which mutes whoever is on stage. */
  update({ inRoom, relaying }: Work, { isMuted }: { readonly isMuted: boolean }): void {
    if (!inRoom && !relaying) {
      this.#tray?.destroy();
      this.#tray = undefined;
      return;
    }
    const tray = this.#tray ?? this.#create();
    this.#tray = tray;
    const { inRoom: heard, inRoomMuted, relaying: carrying } = this.#words;
    tray.setToolTip(inRoom ? (isMuted ? inRoomMuted : heard) : carrying);
  }

  #create(): Tray {
    const tray = new this.#electron.Tray(this.#image);
    const { open, quit } = this.#words;
    tray.setContextMenu(
      this.#electron.Menu.buildFromTemplate([
        { label: open, click: () => this.#actions.open() },
        { type: "separator" },
        { label: quit, click: () => this.#actions.quit() },
      ]),
    );
    tray.on("click", () => this.#actions.open());
    return tray;
  }
}
