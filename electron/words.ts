/** The few texts outside the window. */
export interface Words {
  readonly open: string;
  readonly quit: string;
  readonly inRoom: string;
  readonly inRoomMuted: string;
  readonly relaying: string;
  /** The window's files are missing: a developer has not built them. */
  readonly notBuilt: string;
}

const english: Words = {
  open: "Open Teahouse",
  quit: "Leave and quit",
  inRoom: "Teahouse: in a room",
  inRoomMuted: "Teahouse: in a room, you are muted",
  relaying: "Teahouse: relaying for others",
  notBuilt: "The window of Teahouse is not built. Run: npm run build",
};

const simplified: Words = {
  open: "打开 Teahouse",
  quit: "离开房间并退出",
  inRoom: "Teahouse：正在房间里",
  inRoomMuted: "Teahouse：正在房间里，你已静音",
  relaying: "Teahouse：正在为他人中继",
  notBuilt: "Teahouse 的窗口尚未构建，请运行：npm run build",
};

const traditional: Words = {
  open: "開啟 Teahouse",
  quit: "離開房間並結束",
  inRoom: "Teahouse：正在房間裡",
  inRoomMuted: "Teahouse：正在房間裡，你已靜音",
  relaying: "Teahouse：正在為他人中繼",
  notBuilt: "Teahouse 的視窗尚未建置，請執行：npm run build",
};

/** The texts for a person whose system is set to this language, as a BCP 47 tag. */
export function wordsFor(locale: string): Words {
  const tag = locale.toLowerCase();
  if (!/^zh(-|$)/.test(tag)) return english;
  // A script that is named says more than a place.
  if (/-hans\b/.test(tag)) return simplified;
  return /-(hant|tw|hk|mo)\b/.test(tag) ? traditional : simplified;
}
