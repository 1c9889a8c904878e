import { useMemo, type ReactElement } from "react";
import { encode } from "uqr";
import { useTexts } from "../language.ts";

/** A text as a QR code: dark on light in every theme, because that is what cameras read. Says it is too long when it is. */
export function QrCode({ text }: { readonly text: string }): ReactElement {
  const { text: t } = useTexts();
  const code = useMemo(() => draw(text), [text]);
  if (code === undefined) return <p className="faint">{t("share.qr-too-long")}</p>;
  return (
    <svg className="qr" viewBox={`0 0 ${code.size} ${code.size}`} role="img" aria-label={t("share.qr")}>
      <rect width={code.size} height={code.size} fill="#ffffff" />
      <path d={code.path} fill="#1b1410" />
    </svg>
  );
}

function draw(text: string): { readonly size: number; readonly path: string } | undefined {
  try {
    const { size, data } = encode(text, { ecc: "L", border: 3 });
    const dark = data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
    return { size, path: dark.join("") };
  } catch {
    return undefined;
  }
}
