/** Calls of the sign-in endpoints. Each gives null when it worked, and a sentence for people when it did not. */
async function post(path: string, body: object): Promise<string | null> {
  try {
    const response = await fetch(`/api/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (response.ok) return null
    const answer: unknown = await response.json().catch(() => null)
    return messageOf(answer) ?? `The server refused the request (${response.status}).`
  } catch {
    return "Can't reach the server. Check your connection and try again."
  }
}

function messageOf(answer: unknown): string | null {
  if (typeof answer !== 'object' || answer === null) return null
  if ('error' in answer) return messageOf(answer.error)
  return 'message' in answer && typeof answer.message === 'string' ? answer.message : null
}

export function signIn(email: string, password: string): Promise<string | null> {
  return post('sign-in/email', { email, password })
}

/** Asks for a sign-in link to be mailed to whoever has that address. */
export function mailLink(email: string): Promise<string | null> {
  return post('sign-in/links', { email })
}

/** Whether this deployment mails sign-in links. */
export async function mailsLinks(): Promise<boolean> {
  try {
    const response = await fetch('/api/auth/sign-in')
    const answer: unknown = await response.json()
    return hasMethod(answer, 'link')
  } catch {
    return false
  }
}

function hasMethod(answer: unknown, method: string): boolean {
  if (typeof answer !== 'object' || answer === null) return false
  if ('data' in answer) return hasMethod(answer.data, method)
  return 'methods' in answer && Array.isArray(answer.methods) && answer.methods.includes(method)
}

export function signOut(): Promise<string | null> {
  return post('sign-out', {})
}
