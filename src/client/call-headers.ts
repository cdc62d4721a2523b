/** Headers in any form that `Headers` takes. */
export type CallHeaders = ConstructorParameters<typeof Headers>[0];
