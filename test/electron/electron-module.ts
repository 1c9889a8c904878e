import { createElectronDouble } from "./electron-double.ts";

/** Stands in for the module `electron` in a plain Node process. */
export const double = createElectronDouble();

export const {
  app,
  BrowserWindow,
  dialog,
  globalShortcut,
  ipcMain,
  Menu,
  MessageChannelMain,
  nativeImage,
  powerMonitor,
  powerSaveBlocker,
  protocol,
  session,
  systemPreferences,
  Tray,
  utilityProcess,
} = double.electron;
