/** The form's fields, as the server names them. */
export const WORKSPACE_PATHS = ['name', 'slug']
