/// <reference types="vite/client" />

declare module 'virtual:document-ids' {
  /** By the names of the operations. */
  export const documentIds: Readonly<Record<string, string>>
}

declare module 'virtual:schema-facts' {
  /** Types without an id: the cache keeps them inside the object that has them. */
  export const keyless: readonly string[]
  /** The object types behind each interface. */
  export const possibleTypes: Readonly<Record<string, string[]>>
}
