using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Sketch.Storage.Sql;

namespace Sketch.Storage.Embedded.Http;

/// <summary>One request in the terms of ClickHouse's HTTP interface: what it asks, as whom, and with which settings.</summary>
internal sealed class HttpCall
{
    /// <summary>Parameters that steer the interface itself; every other one is a setting.</summary>
    private static readonly HashSet<string> OwnParameters = new(StringComparer.Ordinal)
    {
        "query", "database", "default_format", "session_id", "session_timeout", "session_check", "query_id", "compress", "decompress",
        "enable_http_compression", "http_zlib_compression_level", "network_compression_method", "user", "password", "quota_key", "stacktrace", "role",
        "wait_end_of_query", "buffer_size", "send_progress_in_http_headers", "http_headers_progress_interval_ms", "client_protocol_version",
        "add_http_cors_header", "log_queries", "log_comment", "cancel_http_readonly_queries_on_client_close", "http_write_exception_in_output_format",
        "http_receive_timeout", "http_send_timeout", "receive_timeout", "send_timeout", "async_insert", "wait_for_async_insert",
    };

    private readonly Dictionary<string, string> _own = new(StringComparer.Ordinal);

    public required HttpContext Context { get; init; }

    /// <summary>Settings for this statement.</summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.Ordinal);

    /// <summary>Values of {name:Type} in the statement.</summary>
    public List<KeyValuePair<string, string>> Parameters { get; } = [];

    public string Query => Own("query") ?? "";

    public string? Database => Own("database") ?? Header("X-ClickHouse-Database");

    public string Format => Own("default_format") ?? Header("X-ClickHouse-Format") ?? "TabSeparated";

    public string? SessionId => Own("session_id");

    public string QueryId { get; private set; } = "";

    public CancellationToken Aborted => Context.RequestAborted;

    public bool CompressResponse => Own("enable_http_compression") == "1"
        && Context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);

    /// <summary>The answer is wanted in ClickHouse's own compressed frames.</summary>
    public bool FrameResponse => Own("compress") == "1";

    /// <summary>The answer is wanted only once the statement has ended, with its status and summary.</summary>
    public bool WaitsForEnd => Own("wait_end_of_query") == "1";

    public string? Own(string name) => _own.GetValueOrDefault(name);

    /// <summary>Reads what the request says beside its body.</summary>
    public static async Task<HttpCall> ReadAsync(HttpContext context)
    {
        HttpCall call = new() { Context = context };
        call.Take(context.Request.Query);
        if (context.Request.ContentType?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) == true)
        {
            call.Take(await context.Request.ReadFormAsync(context.RequestAborted));
        }

        call.QueryId = call.Own("query_id") is { Length: > 0 } id ? id : Guid.NewGuid().ToString();
        return call;
    }

    /// <summary>The user's name and password, as the request gives them.</summary>
    public (string User, string Password) Credentials()
    {
        string authorization = Context.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
        {
            byte[] bytes = new byte[authorization.Length];
            if (Convert.TryFromBase64String(authorization[6..].Trim(), bytes, out int length))
            {
                string pair = Encoding.UTF8.GetString(bytes, 0, length);
                int colon = pair.IndexOf(':', StringComparison.Ordinal);
                return colon < 0 ? (pair, "") : (pair[..colon], pair[(colon + 1)..]);
            }
        }

        return (Header("X-ClickHouse-User") ?? Own("user") ?? "default", Header("X-ClickHouse-Key") ?? Own("password") ?? "");
    }

    /// <summary>The body, decompressed.</summary>
    /// <exception cref="ChdbException">Its encoding is not served.</exception>
    public Stream Body()
    {
        Stream body = Context.Request.HasFormContentType && Context.Request.ContentType!.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase)
            ? Stream.Null
            : Context.Request.Body;
        string encoding = Context.Request.Headers.ContentEncoding.ToString();
        return SqlBody.Decompress(body, encoding, Own("decompress") == "1")
            ?? throw new ChdbException(48, $"Content-Encoding is {encoding}; allowed: {SqlBody.Encodings}");
    }

    private string? Header(string name) => Context.Request.Headers.TryGetValue(name, out StringValues values) ? values.ToString() : null;

    private void Take(IEnumerable<KeyValuePair<string, StringValues>> values)
    {
        foreach ((string name, StringValues value) in values)
        {
            string text = value.Count > 0 ? value[^1] ?? "" : "";
            if (name.StartsWith("param_", StringComparison.Ordinal))
            {
                Parameters.Add(new(name["param_".Length..], text));
            }
            else if (OwnParameters.Contains(name))
            {
                _own[name] = text;
            }
            else
            {
                Settings[name] = text;
            }
        }
    }
}
