/** Names of the messages between the main process and the preload of the screen window. There are no others. */
export const channels = {
  /** Page to main: a port to the engine, please. */
  connect: "teahouse:connect",
  /** Page to main: keep the window out of recordings, or no longer; one boolean. */
  protect: "teahouse:protect",
  /** Page to main: take this key from other programs; its name, or null for none. */
  setTalkKey: "teahouse:set-talk-key",
  /** Main to page: what became of that key; one string. */
  talkKey: "teahouse:talk-key",
  /** Page to main: wipe everything and end. */
  wipe: "teahouse:wipe",
  /** Main to page: `ports[0]` leads to the engine. */
  port: "teahouse:port",
  /** Main to page: a link the system opened us with; one string. */
  link: "teahouse:link",
  /** Main to page: the window went out of sight, or came back; one boolean. */
  hidden: "teahouse:hidden",
  /** Main to page: this computer falls asleep. */
  sleep: "teahouse:sleep",
} as const;
