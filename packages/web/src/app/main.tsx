import { render } from 'preact';
import { App } from './app.tsx';
import { FailureBoundary } from './components/failure-boundary.tsx';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/pictures.css';
import './styles/groups.css';
import './styles/views.css';
import './styles/dialogs.css';

const root = document.getElementById('app');
if (root) {
  render(
    <FailureBoundary>
      <App />
    </FailureBoundary>,
    root,
  );
}
