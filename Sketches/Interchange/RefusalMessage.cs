using System.Runtime.CompilerServices;

namespace Sketch.Sketches;

/// <summary>A message that is put together only when something is refused: checks of thousands of fields cost no strings.</summary>
[InterpolatedStringHandler]
internal ref struct RefusalMessage
{
    private DefaultInterpolatedStringHandler _text;

    public RefusalMessage(int literalLength, int formattedCount, bool fulfilled, out bool append)
    {
        append = !fulfilled;
        _text = fulfilled ? default : new DefaultInterpolatedStringHandler(literalLength, formattedCount, System.Globalization.CultureInfo.InvariantCulture);
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string? format) => _text.AppendFormatted(value, format);

    public string ToStringAndClear() => _text.ToStringAndClear();
}
