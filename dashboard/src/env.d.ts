/// <reference types="vite/client" />

declare module 'virtual:document-ids' {
  /** By the names of the operations. */
  export const documentIds: Readonly<Record<string, string>>
}
