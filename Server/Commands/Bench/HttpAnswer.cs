using System.Buffers.Text;

namespace Sketch.Server.Commands.Bench;

/// <summary>Just enough of an HTTP/1.1 answer for a load generator: its status, once all of it is there.</summary>
internal static class HttpAnswer
{
    /// <summary>False until the bytes hold the whole answer.</summary>
    public static bool TryParse(ReadOnlySpan<byte> answer, out int status)
    {
        status = 0;
        int end = answer.IndexOf("\r\n\r\n"u8);
        int at = end < 0 ? -1 : answer[..end].IndexOf("Content-Length: "u8);
        return at >= 0
            && Utf8Parser.TryParse(answer[(at + "Content-Length: ".Length)..], out int body, out _)
            && answer.Length >= end + 4 + body
            && Utf8Parser.TryParse(answer["HTTP/1.1 ".Length..], out status, out _);
    }
}
