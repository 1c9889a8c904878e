import type { RequestListener } from "node:http";

const page = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Welcome</title></head>
<body>
<h1>Welcome</h1>
<p>This site is under construction. Please come back later.</p>
</body>
</html>
`;

const missing = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>404 Not Found</title></head>
<body><h1>Not Found</h1></body>
</html>
`;

/** What a relay shows to those without its token when the volunteer gave no site: a fresh, empty web server. */
export const plainSite: RequestListener = (request, response) => {
  const { method } = request;
  const isRead = method === "GET" || method === "HEAD";
  const status = !isRead ? 405 : request.url === "/" ? 200 : 404;
  const body = status === 200 ? page : status === 404 ? missing : "";
  // A body that nobody asked for is not read: the connection ends after the answer.
  if (!isRead) response.shouldKeepAlive = false;
  response.writeHead(status, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    ...(isRead ? {} : { Allow: "GET, HEAD" }),
  });
  response.end(method === "HEAD" ? undefined : body);
};
