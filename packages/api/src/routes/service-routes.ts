import type { ApiApp, Services } from '../app-context.ts';
import { defineRoute } from '../define-route.ts';
import type { Health, Model, ModelList } from '../schemas.ts';
import { health, limits, modelList } from '../schemas-service.ts';

export function registerServiceRoutes(app: ApiApp, services: Services): void {
  const { encoders } = services;

  defineRoute(
    app,
    {
      method: 'get',
      path: '/healthz',
      scope: 'public',
      operationId: 'health',
      tag: 'Service',
      summary: 'Liveness, version and models',
      answers: { 200: { description: 'The server runs.', content: { 'application/json': health } } },
    },
    (c) => {
      const answer: Health = { status: 'ok', version: services.version, models: [...encoders.list()] };
      return c.json(answer);
    },
  );

  defineRoute(
    app,
    {
      method: 'get',
      path: '/v1/limits',
      scope: 'public',
      operationId: 'limits',
      tag: 'Service',
      summary: 'What one request may ask of the server',
      answers: { 200: { description: 'The limits.', content: { 'application/json': limits } } },
    },
    (c) => c.json(services.limits),
  );

  defineRoute(
    app,
    {
      method: 'get',
      path: '/v1/models',
      scope: 'read',
      operationId: 'listModels',
      tag: 'Service',
      summary: 'The encoders, with their calibrated thresholds',
      answers: { 200: { description: 'The models.', content: { 'application/json': modelList } } },
    },
    async (c) => {
      const models = await Promise.all(
        encoders.list().map(async (name): Promise<Model> => {
          const { model, hash } = await encoders.describe(name);
          return {
            name: model.name,
            hash,
            description: model.description,
            ...(model.purpose && { purpose: model.purpose }),
            dimension: model.output.dimension,
            metric: model.metric,
            thresholds: model.thresholds,
            defaultThreshold: model.defaultThreshold,
            ...(model.referenceThresholds && { referenceThresholds: model.referenceThresholds }),
            input: { width: model.input.width, height: model.input.height },
            license: model.license,
          };
        }),
      );
      const answer: ModelList = { default: encoders.default, models };
      return c.json(answer);
    },
  );
}
