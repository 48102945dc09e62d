using Sketch.Storage.Embedded;

// `dotnet Sketch.Storage.Tests.dll clickhouse ...` is what the node's own executable is in production: the embedded ClickHouse process.
return args is ["clickhouse", .. string[] rest] ? await EmbeddedClickHouse.MainAsync(rest) : 2;
