interface Named {
  readonly name: string | null
  readonly email: string | null
}

/** What to call a visitor: some give neither a name nor an address. */
export function visitorName({ name, email }: Named): string {
  return name ?? email ?? 'Visitor'
}
