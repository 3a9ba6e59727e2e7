import Button from '@mui/material/Button';
import { Component, type ReactNode } from 'react';
import styles from './LoadBoundary.module.css';

interface Props {
  readonly children: ReactNode;
}

/**
 * Keeps the page when a part that is loaded on demand cannot be: the server may be away, or may
 * have got a new version whose files have other names. A reload is the cure, as browsers
 * remember that a module failed.
 */
export class LoadBoundary extends Component<Props, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <div role="alert" className={styles.notice}>
        <p>This part of the page could not be loaded. Your changes are kept.</p>
        <Button size="small" variant="outlined" color="inherit" onClick={() => window.location.reload()}>
          Reload the page
        </Button>
        <Button size="small" color="inherit" onClick={() => this.setState({ failed: false })}>
          Dismiss
        </Button>
      </div>
    );
  }
}
