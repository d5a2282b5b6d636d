import {
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql'

/** A field, argument, input field or enum value, as far as the tests read it. */
export interface SchemaMember {
  readonly description?: string | null | undefined
  readonly deprecationReason?: string | null | undefined
}

/** The schema's own types: without introspection and the scalars of the specification. */
export function ownTypes(schema: GraphQLSchema) {
  return Object.values(schema.getTypeMap()).filter(
    (type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type),
  )
}

/** Every member of the schema's own types by its coordinate: `Type.field`, `Type.field(argument:)`, `Enum.VALUE`. */
export function* schemaMembers(schema: GraphQLSchema): Generator<[coordinate: string, member: SchemaMember]> {
  for (const type of ownTypes(schema)) {
    if (isEnumType(type)) for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value]
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        yield [`${type.name}.${field.name}`, field]
        for (const arg of field.args) yield [`${type.name}.${field.name}(${arg.name}:)`, arg]
      }
    }
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) yield [`${type.name}.${field.name}`, field]
    }
  }
}
