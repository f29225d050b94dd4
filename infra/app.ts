/** What `cdk` runs (see cdk.json). Bundles the functions for arm64 on any host, then synthesises. */
import { bundleFunctions } from './src/bundle.ts';
import { createDeployment } from './src/deployment.ts';

const { app } = createDeployment(await bundleFunctions());
app.synth();
