import { createHash } from 'node:crypto'
import { formPageHeaders } from '../headers.ts'

/** The colours of the dashboard's tokens.css; the page also works without a built dashboard. */
const STYLE = `
:root { color-scheme: light dark; --bg: #fff; --bg-subtle: #f8f8fa; --border: #e4e4ea; --text: #1a1b20; --dim: #5d5e69;
  --button: #4f46d8; --hover: #4239b8; --focus: #4f46d8 }
@media (prefers-color-scheme: dark) { :root { --bg: #141519; --bg-subtle: #0f1013; --border: #292a31; --text: #ededf0;
  --dim: #a2a3ad; --focus: #8f8bf2 } }
body { margin: 0; background: var(--bg-subtle); color: var(--text);
  font: 0.875rem/1.55 "Inter Variable", Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { display: grid; min-height: 100dvh; padding: 1rem; box-sizing: border-box; place-items: center }
.card { width: 100%; max-width: 24rem; padding: 2rem; box-sizing: border-box; border: 1px solid var(--border); border-radius: 1rem;
  background: var(--bg); box-shadow: 0 1px 3px rgb(0 0 0 / 5%), 0 10px 15px -5px rgb(0 0 0 / 5%) }
h1 { margin: 1rem 0 0; font-size: 1.375rem; font-weight: 600; line-height: 1.3 }
p { margin: 0.375rem 0 1.5rem; color: var(--dim) }
button { width: 100%; height: 2.25rem; border: 0; border-radius: 0.5rem; background: var(--button); color: #fff; font: inherit;
  font-size: 0.8125rem; font-weight: 600; cursor: pointer }
button:hover { background: var(--hover) }
button:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px }
`

/**
 * The page of a sign-in link. Opening it has no effect, because mail programs and chats open links automatically; its
 * form posts to the page's own address, which contains the token.
 */
export const SIGN_IN_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="robots" content="noindex">
    <title>Sign in to GudDesk</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml">
    <style>${STYLE}</style>
  </head>
  <body>
    <main>
      <div class="card">
        <img src="/favicon.svg" width="40" height="40" alt="GudDesk">
        <h1>Sign in to GudDesk</h1>
        <p>This link signs you in once, on this device.</p>
        <form method="post"><button type="submit" autofocus>Sign in</button></form>
      </div>
    </main>
  </body>
</html>
`

export const SIGN_IN_PAGE_HEADERS = formPageHeaders(createHash('sha256').update(STYLE).digest('base64'))
