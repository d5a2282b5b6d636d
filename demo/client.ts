/** A REST response: its status and its `data`. */
export interface ApiResponse<T> {
  readonly status: number
  readonly data: T
}

export interface Client {
  readonly origin: string
  /** @throws Error with the response, unless its status is 2xx */
  call<T>(method: string, path: string, body?: unknown): Promise<ApiResponse<T>>
  /** Sends a visitor's message to an existing conversation through GraphQL. @returns the id of the message */
  writeAsVisitor(conversationId: string, body: string): Promise<string>
}

export interface Customer {
  readonly id: string
  readonly name: string
}

export interface Conversation {
  readonly id: string
}

export interface Message {
  readonly id: string
  readonly type: string
  readonly body: string
  readonly senderName: string
  readonly createdAt: string
}

export const SEND_MESSAGE = `mutation Write($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message { id }
    error { code message }
  }
}`

interface SendMessageResponse {
  readonly data?: {
    readonly sendMessage: { message: { id: string } | null; error: { message: string } | null } | null
  } | null
  readonly errors?: readonly { readonly message: string }[]
}

/** Calls GudDesk like any other program: with fetch and an API key. */
export function connect(origin: string, key: string): Client {
  async function send(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
    const response = await fetch(origin + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} returned ${response.status}: ${text}`)
    return { status: response.status, json: JSON.parse(text) }
  }

  return {
    origin,
    async call<T>(method: string, path: string, body?: unknown) {
      const { status, json } = await send(method, path, body)
      return { status, data: (json as { data: T }).data }
    },
    async writeAsVisitor(conversationId, body) {
      const variables = { input: { conversationId, body, type: 'VISITOR' } }
      const { json } = await send('POST', '/graphql', { query: SEND_MESSAGE, variables })
      const { data, errors } = json as SendMessageResponse
      const { message, error } = data?.sendMessage ?? {}
      if (message == null) throw new Error(`sendMessage failed: ${(error ?? errors?.[0])?.message}`)
      return message.id
    },
  }
}

/** Starts an empty conversation. @returns its id */
export async function newConversation(client: Client, visitorId: string): Promise<string> {
  const { data } = await client.call<Conversation>('POST', '/api/v1/conversations', { visitorId })
  return data.id
}
