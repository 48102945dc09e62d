using System.Text;
using System.Text.Json;

namespace Sketch.Server.Rest;

/// <summary>Says where and why JSON could not be read.</summary>
internal static class JsonErrors
{
    /// <summary>A body that is not JSON.</summary>
    /// <param name="failure">What the reader said.</param>
    /// <param name="lineOffset">The line of the body at which the reader began, from 0.</param>
    /// <param name="allowed">What the body should be.</param>
    public static Problem Malformed(JsonException failure, long lineOffset, string allowed)
    {
        long line = (failure.LineNumber ?? 0) + 1 + lineOffset;
        long column = (failure.BytePositionInLine ?? 0) + 1;
        string value = $"not JSON at line {line}, byte {column} ({Reason(failure.Message)})";
        return Problem.Of(400, "malformed-json", "Malformed JSON", "body", value, allowed) with { Line = line, Byte = column };
    }

    /// <summary>The text of the reader's present token, for an error's value.</summary>
    public static string Token(ref readonly Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.EndArray or JsonTokenType.EndObject or JsonTokenType.None => "missing",
        _ => Encoding.UTF8.GetString(reader.HasValueSequence ? reader.ValueSequence.FirstSpan : reader.ValueSpan),
    };

    // "',' is invalid after a value. Path: $ | LineNumber: 0 | BytePositionInLine: 12." without what we say ourselves.
    private static string Reason(string message)
    {
        foreach (string cut in (ReadOnlySpan<string>)[" Path:", " LineNumber:"])
        {
            int at = message.IndexOf(cut, StringComparison.Ordinal);
            if (at > 0)
                message = message[..at];
        }

        return message.TrimEnd('.', ' ');
    }
}
