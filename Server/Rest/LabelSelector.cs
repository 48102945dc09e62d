using System.Text;

namespace Sketch.Server.Rest;

/// <summary>Labels in a query: <c>lang=en,team</c>. A name alone stands for any value; a backslash takes ',', '=' and itself literally.</summary>
internal static class LabelSelector
{
    private const string Allowed = @"name=value or name, with commas between them, each name once; \ before a ',', '=' or '\' that belongs to it";

    /// <summary>Names and values, which are empty for any.</summary>
    /// <exception cref="ProblemException">It can't be read.</exception>
    public static Dictionary<string, string> Parse(string text)
    {
        Dictionary<string, string> labels = new(StringComparer.Ordinal);
        StringBuilder part = new();
        string? name = null;
        for (int i = 0; i <= text.Length; i++)
        {
            char c = i < text.Length ? text[i] : ',';
            switch (c)
            {
                case '\\' when i + 1 < text.Length:
                    part.Append(text[++i]);
                    break;
                case '=' when name is null:
                    name = part.ToString();
                    part.Clear();
                    break;
                case ',':
                    (string label, string value) = name is null ? (part.ToString(), "") : (name, part.ToString());
                    if (label.Length == 0 || !labels.TryAdd(label, value))
                        throw new ProblemException(Problem.Invalid("labels", text, Allowed));
                    name = null;
                    part.Clear();
                    break;
                case '\\' or '=':
                    throw new ProblemException(Problem.Invalid("labels", text, Allowed));
                default:
                    part.Append(c);
                    break;
            }
        }

        return labels;
    }
}
