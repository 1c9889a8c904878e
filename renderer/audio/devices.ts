import type { SoundDevice, Unsubscribe } from "./types.ts";

/** The devices of a kind, the default one first. Empty where the browser lists none. Never rejects. */
export async function listDevices(kind: "audioinput" | "audiooutput"): Promise<readonly SoundDevice[]> {
  try {
    const all = await navigator.mediaDevices.enumerateDevices();
    const named = all.filter((device) => device.kind === kind && device.deviceId !== "");
    // Chromium lists the default twice: as "default" and by itself. It is undefined to us.
    const real = named.filter(({ deviceId }) => deviceId !== "default" && deviceId !== "communications");
    const standard = named.find(({ deviceId }) => deviceId === "default");
    const isStandard = ({ groupId, label }: MediaDeviceInfo): boolean =>
      groupId === standard?.groupId && standard.label.endsWith(label);
    return real
      .toSorted((left, right) => Number(isStandard(right)) - Number(isStandard(left)))
      .map(({ deviceId, label }) => ({ id: deviceId, label }));
  } catch {
    return [];
  }
}

/**
 * Whether there is any loudspeaker; true where the browser does not list them. Chromium lists them without names before
 * permission, and plays into nothing where there is none. Never rejects.
 */
export async function hasLoudspeaker(): Promise<boolean> {
  if (!("setSinkId" in AudioContext.prototype)) return true;
  try {
    return (await navigator.mediaDevices.enumerateDevices()).some(({ kind }) => kind === "audiooutput");
  } catch {
    return true;
  }
}

/** Tells when devices come or go, or the permission for the microphone changes. */
export function onDeviceChange(listener: () => void): Unsubscribe {
  let permission: PermissionStatus | undefined;
  let ended = false;
  const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
  devices?.addEventListener("devicechange", listener);
  navigator.permissions.query({ name: "microphone" }).then(
    (status) => {
      if (ended) return;
      permission = status;
      status.addEventListener("change", listener);
    },
    // Browsers that do not know this permission: devices alone must tell.
    () => {},
  );
  return () => {
    ended = true;
    devices?.removeEventListener("devicechange", listener);
    permission?.removeEventListener("change", listener);
  };
}
