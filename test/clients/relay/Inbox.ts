/** What a page of Relay asks for: pages both ways, a fragment on an interface, an object fetched again by its id. */
declare const graphql: (text: TemplateStringsArray) => unknown

export const query = graphql`
  query InboxQuery($filter: ConversationFilter) {
    viewer { permission actor { displayName } }
    ...Inbox_list @arguments(filter: $filter)
  }
`

export const list = graphql`
  fragment Inbox_list on Query
  @argumentDefinitions(
    filter: { type: "ConversationFilter" }
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
  )
  @refetchable(queryName: "InboxPageQuery") {
    conversations(filter: $filter, first: $count, after: $cursor) @connection(key: "Inbox_conversations") {
      edges { node { id subject ...Inbox_thread } }
    }
  }
`

export const thread = graphql`
  fragment Inbox_thread on Conversation
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "InboxThreadQuery") {
    status
    messages(last: $count, before: $cursor) @connection(key: "Inbox_messages") {
      edges { node { id body sender { ...Inbox_actor } } }
    }
  }
`

export const actor = graphql`
  fragment Inbox_actor on Actor { id displayName }
`

export const close = graphql`
  mutation InboxCloseMutation($input: UpdateConversationInput!) {
    updateConversation(input: $input) {
      conversation { id status }
      error { code message fields { path message } }
    }
  }
`

export const events = graphql`
  subscription InboxEventsSubscription($filter: EventFilter, $after: String) {
    events(filter: $filter, after: $after) {
      cursor
      event { id type ... on MessageCreatedEvent { message { id body } } }
    }
  }
`
