//go:build tools

// Names helm's command, so that `go mod tidy` keeps exactly its dependencies.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
