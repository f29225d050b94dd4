import { Component, type ComponentChildren } from 'preact';
import { ProblemNotice } from './problem-notice.tsx';

/** A fault of the page itself must not leave an empty page. */
export class FailureBoundary extends Component<{ children: ComponentChildren }, { error?: unknown }> {
  override state: { error?: unknown } = {};

  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <main>
        <h1>The page has failed</h1>
        <ProblemNotice error={this.state.error} retry={() => location.assign(location.pathname)} />
      </main>
    );
  }
}
