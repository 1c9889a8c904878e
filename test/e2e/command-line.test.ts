import { describe, expect, it } from "vitest";
import { TeahouseError } from "../../p2p/api/errors.ts";
import { parseCommandLine } from "../../p2p/cli/options.ts";

const invite = "thi1-abc";

function fault(...args: string[]): string {
  try {
    parseCommandLine(args);
  } catch (error) {
    if (error instanceof TeahouseError && error.code === "usage") return error.message;
    throw error;
  }
  return "accepted";
}

describe("the command line", () => {
  it("reads each command with everything it takes", () => {
    expect(
      parseCommandLine(["host", "--title", "T", "--open", "--via", "A", "--audio", "f.wav", "--loop"]),
    ).toMatchObject({
      command: "host",
      title: "T",
      open: true,
      via: ["A"],
      audio: { audio: "f.wav", loop: true },
    });
    expect(parseCommandLine(["listen", invite, "--for", "1.5s", "--json"])).toMatchObject({
      command: "listen",
      invite,
      forMs: 1500,
      json: true,
      profile: "auto",
      dht: true,
    });
    expect(parseCommandLine(["speak", "--audio", "f.wav", invite])).toMatchObject({
      command: "speak",
      invite,
      audio: { audio: "f.wav", loop: false },
    });
    const relay = ["relay", "--max-children", "0", "--max-kbps", "500", "--only", "--tls-cert", "c", "--tls-key", "k"];
    expect(parseCommandLine([...relay, "--data", "d"])).toMatchObject({
      limits: { maxChildren: 0, maxKbps: 500 },
      only: true,
      tlsCertificate: "c",
      tlsKey: "k",
      data: "d",
    });
    expect(parseCommandLine([])).toMatchObject({ command: "window", open: true, profile: "auto", json: false });
    expect(parseCommandLine(["--no-open", "--json"])).toMatchObject({ command: "window", open: false, json: true });
    expect(parseCommandLine(["--enter", "-"])).toMatchObject({ command: "window", enter: "-" });
    expect(parseCommandLine(["--help"])).toMatchObject({ command: "help" });
    expect(parseCommandLine(["host", "--help"])).toMatchObject({ command: "help" });
    expect(parseCommandLine(["--version", "--json"])).toEqual({ command: "version", json: true });
  });

  it("gives invites on the terms it is told, and says what is none", () => {
    const none = { roles: [], singleUse: false, withPassphrase: false, lockAfterMs: undefined };
    expect(parseCommandLine(["host"])).toMatchObject({ inviting: none });
    const terms = ["--invite-for", "1h", "--single-use", "--with-passphrase", "--lock-after", "5m"];
    expect(parseCommandLine(["host", "--invite", "heir", "--invite", "listener", ...terms])).toMatchObject({
      inviting: {
        roles: ["heir", "listener"],
        expiresInMs: 3_600_000,
        singleUse: true,
        withPassphrase: true,
        lockAfterMs: 300_000,
      },
    });
    expect(() => parseCommandLine(["host", "--invite", "king"])).toThrow("listener, speaker, moderator or heir");
    expect(() => parseCommandLine(["host", "--single-use"])).toThrow("--invite");
    expect(() => parseCommandLine(["host", "--invite", "heir", "--invite-for", "soon"])).toThrow("--invite-for");
    expect(parseCommandLine(["rooms", "--json"])).toMatchObject({ command: "rooms", json: true });
  });

  it("lends what it is told, in hours of this computer's day", () => {
    expect(parseCommandLine(["listen", invite])).toMatchObject({ lend: undefined });
    expect(parseCommandLine(["listen", invite, "--lend"])).toMatchObject({ lend: {} });
    const limits = ["--max-children", "4", "--max-kbps", "300", "--hours", "18:00-1:30"];
    const utc = (minute: number): number => (minute + new Date().getTimezoneOffset() + 1440) % 1440;
    const lend = { maxChildren: 4, maxKbps: 300, hours: { fromMinute: utc(1080), toMinute: utc(90) } };
    expect(parseCommandLine(["speak", invite, "--audio", "f.wav", "--lend", ...limits])).toMatchObject({ lend });
    expect(parseCommandLine(["relay", "--hours", "0:00-24:00"])).toMatchObject({
      limits: { hours: { fromMinute: utc(0), toMinute: utc(0) } },
    });
  });

  it("takes several values of a list in a row or one by one, and stdin for each secret", () => {
    expect(parseCommandLine(["host", "--via", "A", "B", "--via", "C", "--via", "-"])).toMatchObject({
      via: ["A", "B", "C", "-"],
    });
    const listen = parseCommandLine(["listen", "--bootstrap", "/ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4/tcp/2", "-"]);
    expect(listen).toMatchObject({ bootstrap: ["/ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4/tcp/2"], invite: "-" });
  });

  it.each([
    ["20s", 20_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["1500ms", 1500],
    ["120h", 432_000_000],
  ])("reads the time %s", (text, forMs) => {
    expect(parseCommandLine(["relay", "--for", text])).toMatchObject({ forMs });
  });

  it.each(["20", "s", "-5s", "0s", "1e3s", "20 s", "20sec", "25d", "99999999h", "NaNs", "0.0001ms"])(
    "refuses the time %s and says what a time looks like",
    (text) => {
      expect(fault("relay", `--for=${text}`)).toMatch(/^--for takes a time such as 20s, 5m, 1h or 1500ms/);
    },
  );

  it.each([
    [["dance"], '"dance" is not a command of teahouse'],
    [["constructor"], '"constructor" is not a command of teahouse'],
    [["listen"], 'teahouse listen takes an invite, or "-" for one on stdin'],
    [["listen", "a", "b"], 'teahouse listen does not take "b"'],
    [["relay", "extra"], 'teahouse relay does not take "extra"'],
    [["relay", "--hours", "18-23"], '--hours takes hours of the day such as "18:00-23:30"'],
    [["relay", "--hours", "18:00-24:01"], '--hours takes hours of the day such as "18:00-23:30"'],
    [["relay", "--hours", "7:60-8:00"], '--hours takes hours of the day such as "18:00-23:30"'],
    [["listen", "a", "--max-children", "3"], "--max-children says how much --lend lends, which is missing"],
    [["host", "--volume", "3"], "teahouse host has no option --volume"],
    [["host", "--constructor"], "teahouse host has no option --constructor"],
    [["listen", "a", "--audio", "f"], "teahouse listen has no option --audio"],
    [["--title", "x"], "teahouse has no option --title"],
    [["host", "-x"], "teahouse host has no option -x"],
    [["host", "--title"], "--title takes a text"],
    [["host", "--title="], "--title takes a text"],
    [["host", "--title", "--open"], "--title takes a text"],
    [["host", "--title", "x".repeat(65)], "--title takes at most 64 characters"],
    [["host", "--via"], '--via takes a relay card, or "-" for cards on stdin'],
    [["host", "--loop"], "--loop repeats the file of --audio, which is missing"],
    [["host", "--open=yes"], "--open takes no value"],
    [["speak", "a"], "teahouse speak needs --audio with the file to play"],
    [["relay", "--max-children", "many"], '--max-children takes a whole number from 0 to 1000000, not "many"'],
    [["relay", "--max-children", "1.5"], '--max-children takes a whole number from 0 to 1000000, not "1.5"'],
    [["relay", "--max-children", "9999999"], '--max-children takes a whole number from 0 to 1000000, not "9999999"'],
    [["relay", "--max-kbps", "0"], '--max-kbps takes a whole number from 1 to 1000000, not "0"'],
    [["relay", "--tls-cert", "c"], "--tls-cert and --tls-key go together"],
    [["relay", "--listen", "4001"], '--listen takes an address such as /ip4/127.0.0.1/tcp/4001/tls/ws, not "4001"'],
    [["listen", "a", "--profile", "quic"], '--profile takes lan, wss, webrtc or auto, not "quic"'],
    [["relay", "--for", "1s", "--for", "2s"], "--for can be given only once"],
  ])("refuses %j in one sentence that names what it takes", (args, sentence) => {
    expect(fault(...args)).toBe(`${sentence}; see "teahouse --help".`);
  });

  it("does not repeat more than 40 characters of a mistake: it may be an invite", () => {
    expect(fault(`thi1-${"x".repeat(300)}`).length).toBeLessThan(130);
  });
});
