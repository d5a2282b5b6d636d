/** What is measured: the page that an inbox opens with, and the smallest things worth asking for. */
export const QUERIES = {
  list: `query Inbox { conversations(first: 50) { edges { node {
    id status subject visitor { id name } assignee { id name } lastMessagePreview
  } } } }`,
  one: `query One($id: ID!) { conversation(id: $id) {
    id status subject visitor { id name } assignee { id name } lastMessagePreview
  } }`,
  visitor: 'query Who($id: ID!) { node(id: $id) { ... on Visitor { id name email } } }',
} as const

export type QueryName = keyof typeof QUERIES

export const CONNECTIONS = 16
