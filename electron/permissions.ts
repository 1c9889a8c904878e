import type { App, MediaAccessPermissionRequest, Session, SystemPreferences } from "electron";
import { isOwnPage, pageUrl } from "./page.ts";

/** How a page's wish is judged: what it asks for, for whom, and whether by the window's own frame. */
interface Wish {
  readonly permission: string;
  readonly url: string;
  readonly mainFrame: boolean;
  /** Of a wish for media: what it would capture. */
  readonly media: readonly string[];
}

/**
 * The microphone, the choice of a loudspeaker, and putting an invite on the clipboard when the person presses "copy":
 * for our own visible page, nothing else.
 */
function isGranted(wish: Wish): boolean {
  if (!wish.mainFrame || !isOwnPage(wish.url)) return false;
  switch (wish.permission) {
    case "media":
      return wish.media.length === 1 && wish.media[0] === "audio";
    case "speaker-selection":
    case "clipboard-sanitized-write":
      return true;
    default:
      return false;
  }
}

/** Answers every wish of the pages of a session. On macOS the system's own question about the microphone comes first. */
export function limitPermissions(
  session: Session,
  system: Pick<SystemPreferences, "askForMediaAccess"> | undefined,
): void {
  const answer = async (wish: Wish, callback: (isAllowed: boolean) => void): Promise<void> => {
    const asksSystem = wish.permission === "media" && system !== undefined;
    callback(isGranted(wish) && (!asksSystem || (await askSystem(system))));
  };
  session.setPermissionRequestHandler((_contents, permission, callback, details) => {
    const { mediaTypes = [] } = details as MediaAccessPermissionRequest;
    const wish = { permission, url: details.requestingUrl, mainFrame: details.isMainFrame, media: mediaTypes };
    void answer(wish, callback);
  });
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin, details) => {
    const { requestingUrl = requestingOrigin, isMainFrame, mediaType } = details;
    return isGranted({ permission, url: requestingUrl, mainFrame: isMainFrame, media: [mediaType ?? "unknown"] });
  });
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler(null);
}

async function askSystem(system: Pick<SystemPreferences, "askForMediaAccess">): Promise<boolean> {
  try {
    return await system.askForMediaAccess("microphone");
  } catch {
    return false;
  }
}

/** Takes from a session whatever it could write to disk, download, or say to anybody. */
export function silenceSession(session: Session): void {
  silence(session, (url) => isOwnPage(url) || /^(?:devtools|blob|data):/.test(url));
  session.setCertificateVerifyProc((_request, callback) => callback(rejectCertificate));
}

/**
 * Leaves to the session of the lending window what it lends, WebSockets inside TLS, to wherever relays are: on the person's own
 * network too, for which Chromium asks. Relays sign their own certificates, and Noise, inside, pins who answers; so any
 * certificate does, in this session alone.
 */
export function limitLender(session: Session): void {
  silence(session, (url) => isOwnPage(url) || /^(?:devtools|wss):/.test(url));
  // Whoever ends the TLS, a stranger or a censor in the middle, reads it.
  session.setUserAgent(plainUserAgent(session.getUserAgent()));
  session.setCertificateVerifyProc((_request, callback) => callback(acceptCertificate));
  const isGranted = (permission: string, url: string): boolean => lenderPermissions.has(permission) && isOwnPage(url);
  session.setPermissionRequestHandler((_contents, permission, callback, { requestingUrl }) =>
    callback(isGranted(permission, requestingUrl)),
  );
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin, { requestingUrl = requestingOrigin }) =>
    isGranted(permission, requestingUrl),
  );
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler(null);
}

/** What Chromium itself would say: neither this app's name nor Electron's, and of its version as much as browsers tell. */
export function plainUserAgent(text: string): string {
  return text.replace(/ (?!AppleWebKit\/|Chrome\/|Safari\/)[^ /()]+\/\S+/g, "").replace(/(Chrome\/\d+)\S*/, "$1.0.0.0");
}

/** Chromium's old name, and the two into which it is being divided. */
const lenderPermissions: ReadonlySet<string> = new Set(["local-network-access", "local-network", "loopback-network"]);

/** Only what the page's own files and work need is asked for; the rest is cancelled. */
function silence(session: Session, mayLoad: (url: string) => boolean): void {
  session.setSpellCheckerEnabled(false);
  session.setSpellCheckerLanguages([]);
  session.on("will-download", (event) => event.preventDefault());
  session.webRequest.onBeforeRequest(({ url }, callback) => callback({ cancel: !mayLoad(url) }));
}

/** What Electron takes for "not this certificate", net::ERR_FAILED, and for "this one". */
const rejectCertificate = -2;
const acceptCertificate = 0;

/**
 * Holds for every page that ever comes to be, whoever makes it: it stays where it is, opens nothing, embeds nothing,
 * and never shows the system a certificate or a password.
 */
export function guardContents(app: App): void {
  app.on("web-contents-created", (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: "deny" }));
    contents.on("will-frame-navigate", (event) => {
      // To where it is already: a page may begin anew.
      if (event.url !== pageUrl || !event.isMainFrame) event.preventDefault();
    });
    contents.on("will-redirect", (event) => event.preventDefault());
    contents.on("will-attach-webview", (event) => event.preventDefault());
    contents.on("select-bluetooth-device", (event, _devices, callback) => {
      event.preventDefault();
      callback("");
    });
    contents.setWebRTCIPHandlingPolicy("default_public_interface_only");
  });
  app.on("select-client-certificate", (event, _contents, _url, _list, callback) => {
    event.preventDefault();
    callback();
  });
}
